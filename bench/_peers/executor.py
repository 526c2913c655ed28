"""CPython's executors, for bench/executor_bench.ts: microseconds for each job, medians of 10."""

import asyncio
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor


def add(a, b):
    return a + b


async def round_trips(loop, pool, count=200):
    for n in range(count):
        await loop.run_in_executor(pool, add, n, 1)
    return count


async def pipelined(loop, pool, count=2000):
    await asyncio.gather(*[loop.run_in_executor(pool, add, n, 1) for n in range(count)])
    return count


async def main():
    loop = asyncio.get_running_loop()
    pools = {
        "thread pool (default size)": ThreadPoolExecutor(),
        "thread pool (1)": ThreadPoolExecutor(1),
        "process pool (1)": ProcessPoolExecutor(1),
    }
    for work in (round_trips, pipelined):
        for name, pool in pools.items():
            await work(loop, pool)
            times = []
            for _ in range(10):
                start = time.perf_counter()
                count = await work(loop, pool)
                times.append((time.perf_counter() - start) / count * 1e6)
            print(f"{work.__name__:12} {name:28} {statistics.median(times):8.1f} us")
    for pool in pools.values():
        pool.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
