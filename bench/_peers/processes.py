"""Work with child processes for bench/peers.ts: prints microseconds as JSON.

Usage: processes.py asyncio|uvloop
"""
import asyncio
import json
import sys
import time


IS_QUICK = "--quick" in sys.argv
SPAWNS = 5 if IS_QUICK else 200
ROUND_TRIPS = 200 if IS_QUICK else 20_000
MEBIBYTES = 8 if IS_QUICK else 256
PIPE = asyncio.subprocess.PIPE
DEVNULL = asyncio.subprocess.DEVNULL


async def spawn_and_wait(stdio):
    for _ in range(SPAWNS):
        child = await asyncio.create_subprocess_exec(
            "/bin/true", stdin=stdio, stdout=stdio, stderr=stdio)
        await child.wait()


class Counter(asyncio.SubprocessProtocol):
    def __init__(self):
        self.ended = asyncio.get_running_loop().create_future()
        self.count = 0

    def pipe_data_received(self, fd, data):
        self.count += len(data)

    def connection_lost(self, error):
        self.ended.set_result(None)


class PingPong(Counter):
    def connection_made(self, transport):
        self.left = ROUND_TRIPS
        self.stdin = transport.get_pipe_transport(0)
        self.stdin.write(b"x" * 64)

    def pipe_data_received(self, fd, data):
        self.left -= 1
        if self.left > 0:
            self.stdin.write(b"x" * 64)
        else:
            self.stdin.close()


async def ping_pong_protocol():
    loop = asyncio.get_running_loop()
    _, protocol = await loop.subprocess_exec(PingPong, "cat")
    await protocol.ended


async def ping_pong_streams():
    cat = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
    message = b"x" * 64
    for _ in range(ROUND_TRIPS):
        cat.stdin.write(message)
        await cat.stdout.readexactly(64)
    cat.stdin.close()
    await cat.wait()


HEAD = ["head", "-c", f"{MEBIBYTES}M", "/dev/zero"]


async def read_protocol():
    loop = asyncio.get_running_loop()
    _, protocol = await loop.subprocess_exec(Counter, *HEAD, stdin=DEVNULL, stderr=DEVNULL)
    await protocol.ended
    assert protocol.count == MEBIBYTES << 20


async def read_streams():
    head = await asyncio.create_subprocess_exec(*HEAD, stdout=PIPE)
    count = 0
    while data := await head.stdout.read(256 * 1024):
        count += len(data)
    await head.wait()
    assert count == MEBIBYTES << 20


async def write_streams():
    sink = await asyncio.create_subprocess_exec("sh", "-c", "exec cat >/dev/null", stdin=PIPE)
    chunk = bytes(64 * 1024)
    for _ in range(0, MEBIBYTES << 20, len(chunk)):
        sink.stdin.write(chunk)
        await sink.stdin.drain()
    sink.stdin.close()
    await sink.wait()


async def timed(count, work):
    """Runs `work` twice, and gives the microseconds for each of `count` the second time."""
    await work()
    start = time.perf_counter()
    await work()
    return (time.perf_counter() - start) * 1e6 / count


async def main():
    if sys.argv[1] == "asyncio" and sys.version_info < (3, 12):
        # What later versions do by default; these would wait for each child in a thread.
        watcher = asyncio.PidfdChildWatcher()
        watcher.attach_loop(asyncio.get_running_loop())
        asyncio.set_child_watcher(watcher)
    print(json.dumps({
        "spawn and wait, no pipes": await timed(SPAWNS, lambda: spawn_and_wait(DEVNULL)),
        "spawn and wait, three pipes": await timed(SPAWNS, lambda: spawn_and_wait(PIPE)),
        "64 B round trip, protocol": await timed(ROUND_TRIPS, ping_pong_protocol),
        "64 B round trip, streams": await timed(ROUND_TRIPS, ping_pong_streams),
        "1 MiB from stdout, protocol": await timed(MEBIBYTES, read_protocol),
        "1 MiB from stdout, streams": await timed(MEBIBYTES, read_streams),
        "1 MiB to stdin, streams": await timed(MEBIBYTES, write_streams),
    }))


if sys.argv[1] == "uvloop":
    import uvloop
    uvloop.install()
asyncio.run(main())
