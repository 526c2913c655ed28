"""CPython's side of tls_test.ts: TLS from the start, or after a dialogue in plain text.

Usage: _tls_peer.py CERTIFICATES serve | connect PORT | serve-starttls | connect-starttls PORT

Servers print their port and echo up to the end of the stream. Clients print how many bytes of
theirs came back, and their sum.
"""

import asyncio
import ssl
import sys

certificates, mode = sys.argv[1:3]


def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates + "server.pem", certificates + "server.key")
    return context


def client_context():
    return ssl.create_default_context(cafile=certificates + "authority.pem")


async def echo(reader, writer):
    if mode == "serve-starttls":
        assert await reader.readline() == b"STARTTLS\n"
        writer.write(b"go ahead\n")
        await writer.start_tls(server_context())
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve():
    context = server_context() if mode == "serve" else None
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def connect(port):
    if mode == "connect":
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context(), server_hostname="localhost"
        )
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(client_context(), server_hostname="localhost")
    answer = asyncio.create_task(reader.readexactly(1_000_000))
    for number in range(1000):
        writer.write(bytes([number % 251]) * 1000)
        await writer.drain()
    data = await answer
    writer.close()
    await writer.wait_closed()
    print(len(data), sum(data), flush=True)


asyncio.run(serve() if mode.startswith("serve") else connect(int(sys.argv[3])))
