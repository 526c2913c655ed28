"""A load on a UDP echo server, for bench/peers.ts: each socket sends a datagram, waits for its echo,
and sends again. Prints what came of it as JSON.

Usage: datagram_load.py port sockets bytes seconds
"""
import asyncio
import json
import sys
import time

import uvloop

port, sockets, size, seconds = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
message = bytes(size)
count = 0
counting = False


class Client(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
        transport.sendto(message)

    def datagram_received(self, data, address):
        global count
        if counting:
            count += 1
        self.transport.sendto(message)


async def main():
    global counting
    loop = asyncio.get_running_loop()
    for _ in range(sockets):
        await loop.create_datagram_endpoint(Client, remote_addr=("127.0.0.1", port))
    # The server compiles its hot code before it is measured.
    await asyncio.sleep(min(seconds, 0.5))
    print("measuring", flush=True)
    counting = True
    start = time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - start
    counting = False
    print("measured", flush=True)
    print(json.dumps({"messages": count, "seconds": elapsed}))


uvloop.install()
asyncio.run(main())
