"""CPython's side of tls_peers_test.ts.

Usage: _tls_peer.py CERTIFICATES PORT resume VERSION | unwrap | ragged | read [CERTIFICATE]

resume connects twice, the second time with the session of the first, and prints whether it was
resumed. unwrap ends TLS and goes on in clear. ragged tells an end in good order from a cut. read is
asyncio's: it sends a line and prints what comes back, or why not.
"""

import asyncio
import socket
import ssl
import sys

certificates, port, mode, *rest = sys.argv[1:]


def client_context(certificate=None):
    context = ssl.create_default_context(cafile=certificates + "authority.pem")
    if certificate:
        base = certificates + certificate
        context.load_cert_chain(base + ".pem", base + ".key")
    return context


def connect(context, session=None):
    plain = socket.create_connection(("127.0.0.1", int(port)))
    return context.wrap_socket(
        plain, server_hostname="localhost", session=session, suppress_ragged_eofs=False
    )


def ask(secured):
    secured.sendall(b"hello\n")
    return secured.recv(1000).decode().strip()


def resume():
    context = client_context("client")
    version = getattr(ssl.TLSVersion, rest[0].replace(".", "_"))
    context.minimum_version = context.maximum_version = version
    session = None
    for _ in range(2):
        secured = connect(context, session)
        print(secured.session_reused, ask(secured), flush=True)
        session = secured.session
        secured.close()


def unwrap():
    secured = connect(client_context())
    print(ask(secured))
    plain = secured.unwrap()
    print("unwrapped", plain.recv(1000), flush=True)


def ragged():
    secured = connect(client_context())
    print(ask(secured))
    try:
        print("clean", secured.recv(1000), flush=True)
    except ssl.SSLError as error:
        print(type(error).__name__, flush=True)


async def read():
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(port), ssl=client_context(*rest), server_hostname="localhost"
    )
    writer.write(b"hello\n")
    try:
        print((await reader.read()).decode().strip(), flush=True)
    except ssl.SSLError as error:
        print(error.reason, flush=True)
    writer.close()


if mode == "read":
    asyncio.run(read())
else:
    {"resume": resume, "unwrap": unwrap, "ragged": ragged}[mode]()
