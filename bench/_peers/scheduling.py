"""Scheduling work for bench/peers.ts: prints microseconds for each operation as JSON.

Usage: scheduling.py asyncio|uvloop
"""
import asyncio
import json
import sys
import time

IS_QUICK = "--quick" in sys.argv
COUNT = 2_000 if IS_QUICK else 200_000
GATHERED = 1_000 if IS_QUICK else 100_000


def new_loop():
    if sys.argv[1] == "uvloop":
        import uvloop
        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def call_soon_chain(loop):
    left = COUNT

    def step():
        nonlocal left
        left -= 1
        if left > 0:
            loop.call_soon(step)
        else:
            loop.stop()

    loop.call_soon(step)
    loop.run_forever()
    return COUNT


def call_soon_batch(loop):
    def step():
        pass

    for _ in range(COUNT):
        loop.call_soon(step)
    loop.call_soon(loop.stop)
    loop.run_forever()
    return COUNT


def call_later_cancel(loop):
    def step():
        pass

    for _ in range(COUNT):
        loop.call_later(100, step).cancel()
    return COUNT


def sleep_zero(loop):
    async def main():
        for _ in range(COUNT):
            await asyncio.sleep(0)

    loop.run_until_complete(main())
    return COUNT


async def nothing():
    return None


def task_create_await(loop):
    async def main():
        for _ in range(COUNT):
            await loop.create_task(nothing())

    loop.run_until_complete(main())
    return COUNT


def gather_many(loop):
    async def main():
        await asyncio.gather(*[nothing() for _ in range(GATHERED)])

    loop.run_until_complete(main())
    return GATHERED


WORK = {
    "callSoon chain": call_soon_chain,
    "callSoon batch": call_soon_batch,
    "callLater and cancel": call_later_cancel,
    "sleep(0)": sleep_zero,
    "create and await a task": task_create_await,
    "gather of 100,000": gather_many,
}

results = {}
for name, work in WORK.items():
    loop = new_loop()
    # As in scheduling.ts.
    for _ in range(3):
        work(loop)
    start = time.perf_counter()
    count = work(loop)
    results[name] = (time.perf_counter() - start) / count * 1e6
    loop.close()
print(json.dumps(results))
