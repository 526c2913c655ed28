"""CPython's side of echo_test.ts: `serve` echoes, `send PORT SIZE` sends and checks what comes back.

Both are protocols of asyncio. Who sends ends its half of the connection and goes on reading.
"""

import asyncio
import hashlib
import random
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


class Sender(asyncio.Protocol):
    def __init__(self, size, done):
        self.data = random.Random(size).randbytes(size)
        self.done = done
        self.received = hashlib.sha256()

    def connection_made(self, transport):
        transport.write(self.data)
        transport.write_eof()

    def data_received(self, data):
        self.received.update(data)

    def connection_lost(self, error):
        intact = self.received.digest() == hashlib.sha256(self.data).digest()
        self.done.set_result("intact" if intact else "damaged")


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


async def send(port, size):
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    await loop.create_connection(lambda: Sender(size, done), "127.0.0.1", port)
    print(await done, flush=True)


if sys.argv[1] == "serve":
    asyncio.run(serve())
else:
    asyncio.run(send(int(sys.argv[2]), int(sys.argv[3])))
