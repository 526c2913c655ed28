"""CPython's side of unix_test.ts: `serve PATH` echoes lines, `connect PATH` sends some.

Whoever sends prints the number of bytes that came back, and their sum.
"""

import asyncio
import sys


async def echo(reader, writer):
    """Sends back what comes, up to the end of the stream."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def serve(path):
    """Says when it listens, and serves until its input ends."""
    server = await asyncio.start_unix_server(echo, path)
    print("listening", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def connect(path):
    """Sends a million bytes in pieces, and checks what comes back."""
    reader, writer = await asyncio.open_unix_connection(path)
    answer = asyncio.create_task(reader.read())
    for number in range(1000):
        writer.write(bytes([number % 251]) * 1000)
        await writer.drain()
    writer.write_eof()
    data = await answer
    writer.close()
    await writer.wait_closed()
    print(len(data), sum(data), flush=True)


asyncio.run({"serve": serve, "connect": connect}[sys.argv[1]](sys.argv[2]))
