# Tells for which hosts CPython takes certificates: a line in JSON for each line in JSON.
import json
import ssl
import sys


def accepts(row, host):
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(row["cert"], row["key"])
    client_context = ssl.create_default_context(cafile=row["ca"])
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    except (ValueError, TypeError, UnicodeError):
        return False
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in client, server:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError:
                return False
    return client.version() is not None


for line in sys.stdin:
    row = json.loads(line)
    print(json.dumps([accepts(row, host) for host in row["hosts"]]), flush=True)
