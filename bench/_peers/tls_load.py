"""A load on a TLS echo server, for bench/peers.ts: each connection sends a message, waits for the
whole echo, and sends again. Prints what came of it as JSON. Connections are opened, used and closed
before those that count.

Usage: tls_load.py authority port connections messageBytes seconds
"""
import asyncio
import json
import ssl
import sys
import time

import uvloop

authority = sys.argv[1]
port, connections, size = map(int, sys.argv[2:5])
seconds = float(sys.argv[5])
message = bytes([7]) * size
latencies = []
running = True
counting = False


class Client(asyncio.Protocol):
    def __init__(self, closed):
        self.closed = closed

    def connection_made(self, transport):
        self.transport = transport
        self.send()

    def send(self):
        self.left = size
        self.start = time.perf_counter()
        self.transport.write(message)

    def data_received(self, data):
        self.left -= len(data)
        if self.left > 0:
            return
        if counting:
            latencies.append(time.perf_counter() - self.start)
        if running:
            self.send()
        else:
            self.transport.close()

    def connection_lost(self, error):
        self.closed.set_result(None)


async def load(while_running):
    global running
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context(cafile=authority)
    closed = [loop.create_future() for _ in range(connections)]
    running = True
    for each in closed:
        await loop.create_connection(
            lambda: Client(each), "127.0.0.1", port, ssl=context, server_hostname="localhost"
        )
    # The server compiles its hot code before it is measured.
    await asyncio.sleep(min(seconds, 0.5))
    result = await while_running()
    running = False
    await asyncio.wait(closed, timeout=5)
    return result


async def nothing():
    pass


async def count():
    global counting
    print("measuring", flush=True)
    counting = True
    start = time.perf_counter()
    await asyncio.sleep(seconds)
    counting = False
    elapsed = time.perf_counter() - start
    print("measured", flush=True)
    return elapsed


async def main():
    await load(nothing)
    elapsed = await load(count)
    latencies.sort()
    print(json.dumps({
        "messages": len(latencies),
        "seconds": elapsed,
        "p50": latencies[len(latencies) // 2] * 1000,
        "p99": latencies[int(len(latencies) * 0.99)] * 1000,
    }))


uvloop.install()
asyncio.run(main())
