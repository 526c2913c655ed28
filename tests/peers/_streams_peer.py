"""The streams of CPython, for tests: a server, a client, or readers that are fed.

Usage: _streams_peer.py serve | connect PORT | read
"""

import asyncio
import json
import sys


async def echo_lines(reader, writer):
    """Answers each line with its length and the line, up to the end of the stream."""
    while line := await reader.readline():
        writer.write(b"%d " % len(line) + line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def serve():
    """Prints its port, and serves until its input ends."""
    server = await asyncio.start_server(echo_lines, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def connect(port):
    """Sends lines, and prints what comes back as a number of bytes and a checksum."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    for number in range(2000):
        writer.write(b"%d" % number + b"." * (number % 300) + b"\n")
        await writer.drain()
    writer.write_eof()
    data = await answer
    writer.close()
    await writer.wait_closed()
    print(len(data), sum(data), flush=True)


async def read_case(case):
    """Feeds a reader and reads once from it. Returns how that ended and what is left."""
    reader = asyncio.StreamReader(limit=case["limit"])
    separators = tuple(each.encode() for each in case["separators"])
    if len(separators) == 1:
        [separators] = separators  # Before 3.13 there is no tuple of them.
    reads = {
        "read": lambda: reader.read(case["count"]),
        "readExactly": lambda: reader.readexactly(case["count"]),
        "readLine": lambda: reader.readline(),
        "readUntil": lambda: reader.readuntil(separators),
    }
    task = asyncio.create_task(reads[case["read"]]())
    for chunk in case["chunks"]:
        await asyncio.sleep(0)
        reader.feed_data(chunk.encode())
    await asyncio.sleep(0)
    if case["eof"]:
        reader.feed_eof()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if not task.done():
        task.cancel()
    [ending] = await asyncio.gather(task, return_exceptions=True)
    if not case["eof"]:
        reader.feed_eof()
    return [describe(ending), (await reader.read()).decode()]


def describe(ending):
    """Names how a read ended as tests/streams/_oracle.ts does."""
    if isinstance(ending, bytes):
        return "value " + ending.decode()
    if isinstance(ending, asyncio.CancelledError):
        return "cancelled"
    if isinstance(ending, asyncio.IncompleteReadError):
        return "incomplete " + ending.partial.decode()
    if isinstance(ending, asyncio.LimitOverrunError):
        return f"overrun {ending.consumed}"
    if isinstance(ending, ValueError):
        return "overrun line"
    raise ending


async def read():
    """Runs the cases of its input, one a line."""
    for line in sys.stdin:
        print(json.dumps(await read_case(json.loads(line))), flush=True)


if sys.argv[1] == "connect":
    asyncio.run(connect(int(sys.argv[2])))
else:
    asyncio.run({"serve": serve, "read": read}[sys.argv[1]]())
