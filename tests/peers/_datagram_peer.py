"""CPython's side of datagram_test.ts: `serve` echoes datagrams, `ping PORT` sends some.

Who sends waits for each answer, sends again what was lost, and prints the sizes that came back.
"""

import asyncio
import sys

SIZES = [0, 1, 512, 1472, 1473, 9000, 65507]


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


class Ping(asyncio.DatagramProtocol):
    def __init__(self):
        self.answers = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.answers.put_nowait(data)


async def serve():
    """Prints its port, and serves until its input ends."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    transport.close()


async def ping(port):
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        Ping, remote_addr=("127.0.0.1", port)
    )
    sizes = []
    for size in SIZES:
        sent = bytes(index % 251 for index in range(size))
        answer = None
        while answer != sent:
            transport.sendto(sent)
            try:
                answer = await asyncio.wait_for(protocol.answers.get(), 1)
            except asyncio.TimeoutError:
                pass
        sizes.append(len(answer))
    transport.close()
    print(*sizes, flush=True)


asyncio.run(serve() if sys.argv[1] == "serve" else ping(int(sys.argv[2])))
