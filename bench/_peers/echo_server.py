"""Echo servers for bench/peers.ts: prints the port, then echoes until killed.

Usage: echo_server.py asyncio|uvloop protocol|busy|buffered|streams|tls|datagram|cold_datagram [cert key]
"""
import asyncio
import ssl
import sys

flavour, kind = sys.argv[1], sys.argv[2]


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class BufferedEcho(asyncio.BufferedProtocol):
    """One buffer to read and to write: nothing more is read until what was read has gone out."""

    def connection_made(self, transport):
        self.transport = transport
        self.buffer = memoryview(bytearray(256 * 1024))
        transport.set_write_buffer_limits(high=0)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()

    def get_buffer(self, size_hint):
        return self.buffer

    def buffer_updated(self, count):
        self.transport.write(self.buffer[:count])


class DatagramEcho(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


async def echo_stream(reader, writer):
    while data := await reader.read(256 * 1024):
        writer.write(data)
        await writer.drain()
    writer.close()


async def close_a_connection():
    """Opens and closes a connection, which frees the memory of a read that was not shortened.

    Until that happens in a process, CPython's asyncio maps and unmaps 256 KiB for each read, and
    for each datagram: the allocator keeps a block of that size only once it has seen one freed.
    """
    server = await asyncio.start_server(echo_stream, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.1)


async def never_sleep():
    while True:
        await asyncio.sleep(0)


async def main():
    loop = asyncio.get_running_loop()
    if kind == "datagram":
        await close_a_connection()
    if kind.endswith("datagram"):
        transport, _ = await loop.create_datagram_endpoint(DatagramEcho, local_addr=("127.0.0.1", 0))
        print(transport.get_extra_info("sockname")[1], flush=True)
        await asyncio.Event().wait()
    if kind == "streams":
        server = await asyncio.start_server(echo_stream, "127.0.0.1", 0, limit=256 * 1024)
    else:
        context = None
        if kind == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[3], sys.argv[4])
        protocol = BufferedEcho if kind == "buffered" else Echo
        server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context, backlog=2000)
    busy = [asyncio.create_task(never_sleep()) for _ in range(20 if kind == "busy" else 0)]
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if flavour == "uvloop":
    import uvloop
    uvloop.install()
asyncio.run(main())
