"""CPython's side of the tests of STARTTLS in tls_test.ts.

Usage: _start_tls_peer.py CERTIFICATES smtp PORT | pipeline PORT | inject PORT | serve-inject

smtp is smtplib. pipeline sends its hello in one piece with the command. inject sends another
command in clear instead. serve-inject is a server that answers two lines.
"""

import smtplib
import socket
import ssl
import sys

certificates, mode = sys.argv[1:3]


def client_context():
    return ssl.create_default_context(cafile=certificates + "authority.pem")


def smtp(port):
    client = smtplib.SMTP("127.0.0.1", port, local_hostname="tester")
    client.ehlo()
    for code, text in client.starttls(context=client_context()), client.noop(), client.quit():
        print(code, text.decode(), flush=True)


def pipeline(port):
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context().wrap_bio(to_client, to_server, server_hostname="localhost")
    plain = socket.create_connection(("127.0.0.1", port))
    first = b"STARTTLS\r\n"

    def until_done(step):
        nonlocal first
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                result = None
            plain.sendall(first + to_server.read())
            first = b""
            if result is not None:
                return result
            to_client.write(plain.recv(65536))

    until_done(lambda: client.do_handshake() or True)
    client.write(b"hello\n")
    print(until_done(lambda: client.read(1000)).decode(), end="", flush=True)
    plain.close()


def inject(port):
    plain = socket.create_connection(("127.0.0.1", port))
    plain.sendall(b"STARTTLS\r\nINJECTED\r\n")
    show_rest(plain)


def show_rest(plain):
    try:
        while data := plain.recv(65536):
            print(data.decode().replace("\r", ""), end="", flush=True)
    except ConnectionResetError:
        pass


def serve_inject():
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        plain, _ = server.accept()
    plain.recv(65536)
    plain.sendall(b"220 go ahead\r\n220 INJECTED\r\n")
    show_rest(plain)


if mode == "serve-inject":
    serve_inject()
else:
    {"smtp": smtp, "pipeline": pipeline, "inject": inject}[mode](int(sys.argv[3]))
