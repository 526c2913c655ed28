"""A crowd of clients for crowd_test.ts: some talk, some say nothing, and some never read.

Usage: _crowd.py (tcp PORT | tls PORT | unix PATH) TALKING SILENT DEAF

Says when all are there, and at the end how many of each kind have heard goodbye as their last word,
or, of those that never read, have ended.
"""

import asyncio
import contextlib
import ssl
import sys

KIND, PLACE = sys.argv[1:3]
TALKING, SILENT, DEAF = map(int, sys.argv[3:6])
# Set when those that read have ended.
gone = asyncio.Event()


trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
trusting.check_hostname = False
trusting.verify_mode = ssl.CERT_NONE


async def connect():
    if KIND == "unix":
        return await asyncio.open_unix_connection(PLACE)
    secure = trusting if KIND == "tls" else None
    return await asyncio.open_connection("127.0.0.1", int(PLACE), ssl=secure)


async def talk(there):
    """Asks and listens in turns; gives the last line that came."""
    reader, writer = await connect()
    last = b""
    try:
        writer.write(b"hello\n")
        while line := await reader.readline():
            there()
            last = line
            await asyncio.sleep(0.01)
            if line != b"bye\n":
                writer.write(b"hello\n")
    except ConnectionError:
        pass
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return last


async def listen(there):
    """Says nothing once it is served; gives the last line that came."""
    reader, writer = await connect()
    writer.write(b"hello\n")
    await reader.readline()
    there()
    line = await reader.readline()
    writer.close()
    return line


async def ignore(there):
    """Asks for more than fits, reads nothing of it until the others have gone, and then to the end."""
    reader, writer = await connect()
    writer.write(b"hello\n")
    await reader.readline()
    writer.transport.pause_reading()
    writer.write(b".\n")
    there()
    await gone.wait()
    writer.transport.resume_reading()
    try:
        while await reader.read(65536):
            pass
    except (ConnectionError, ssl.SSLError):
        pass
    return b"bye\n"


async def main():
    missing = set(range(TALKING + SILENT + DEAF))

    def start(client):
        number = len(tasks)

        def there():
            if number in missing:
                missing.remove(number)
                if not missing:
                    print("there", flush=True)

        tasks.append(asyncio.create_task(client(there)))

    tasks = []
    for client, count in ((talk, TALKING), (listen, SILENT), (ignore, DEAF)):
        for _ in range(count):
            start(client)
    others = await asyncio.gather(*tasks[: TALKING + SILENT])
    gone.set()
    lasts = others + await asyncio.gather(*tasks[TALKING + SILENT :])
    bye = [last == b"bye\n" for last in lasts]
    parts = bye[:TALKING], bye[TALKING : TALKING + SILENT], bye[TALKING + SILENT :]
    print(*map(sum, parts), flush=True)


asyncio.run(main())
