"""Writes what CPython's asyncio does where a cancellation meets each kind of wait.

    python3.13 tests/loop/cancellation_table.py > tests/loop/cancellation_table.json

cancellation_table_test.ts does the same with this package: the two must stay alike.
"""

import asyncio
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "conformance"))
from run_on_cpython import VirtualLoop  # noqa: E402


def waits(loop):
    """What each wait is: a function of a coroutine, and what ends it at 2."""
    future = loop.create_future()
    lock = asyncio.Lock()
    semaphore = asyncio.Semaphore(1)
    condition = asyncio.Condition()
    queue = asyncio.Queue()
    full = asyncio.Queue(1)
    event = asyncio.Event()

    async def in_timeout():
        async with asyncio.timeout(3):
            return await future

    async def in_timeout_at():
        async with asyncio.timeout_at(3):
            return await future

    async def in_group():
        async with asyncio.TaskGroup() as group:
            group.create_task(in_future())

    async def in_group_body():
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
            return await future

    async def in_future():
        return await future

    async def in_condition():
        async with condition:
            await condition.wait()
        return condition.locked()

    async def locked(thing):
        await thing.acquire()
        thing.release()

    def notify():
        async def steps():
            async with condition:
                condition.notify()

        loop.create_task(steps())

    async def wait_for_it():
        return await asyncio.wait_for(future, 3)

    async def wait_both():
        done, pending = await asyncio.wait([future])
        return [len(done), len(pending)]

    async def gather_it():
        return await asyncio.gather(future, asyncio.sleep(1.5, "slept"))

    async def gather_all():
        return len(await asyncio.gather(future, in_future(), return_exceptions=True))

    async def shield_it():
        return await asyncio.shield(future)

    def resolve():
        if not future.done():
            future.set_result("value")

    lock._locked = True
    semaphore._value = 0
    full.put_nowait(0)
    return {
        "future": (in_future, resolve),
        "timeout": (in_timeout, resolve),
        "timeoutAt": (in_timeout_at, resolve),
        "waitFor": (wait_for_it, resolve),
        "taskGroup": (in_group, resolve),
        "taskGroup body": (in_group_body, resolve),
        "gather": (gather_it, resolve),
        "gather returnExceptions": (gather_all, resolve),
        "shield": (shield_it, resolve),
        "wait": (wait_both, resolve),
        "lock": (lambda: locked(lock), lock.release),
        "semaphore": (lambda: locked(semaphore), semaphore.release),
        "condition": (in_condition, notify),
        "queue get": (queue.get, lambda: queue.put_nowait("item")),
        "queue put": (lambda: full.put(1), full.get_nowait),
        "event": (event.wait, event.set),
        "sleep": (lambda: asyncio.sleep(2, "slept"), lambda: None),
    }


MOMENTS = [
    "never",
    "before the first wait",
    "while waiting",
    "twice",
    "as the wake-up is on its way",
    "in the cleanup",
    "just before the deadline",
    "just after the deadline",
    "just before a sibling fails",
    "just after a sibling has failed",
]


def text(error):
    if isinstance(error, BaseExceptionGroup):
        return "[" + ", ".join(text(each) for each in error.exceptions) + "]"
    name = type(error).__name__
    return name + (f"({error.args[0]})" if error.args else "")


def run(name, moment):
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    log = []

    async def main():
        wait, trigger = waits(loop)[name]

        def note(event):
            log.append(f"{loop.time():g} {event}")

        async def body():
            try:
                note(f"got {json.dumps(await wait())}")
                await asyncio.sleep(0)
                note("went on")
            except BaseException as error:
                note(f"threw {text(error)}")
                raise
            finally:
                if moment == "in the cleanup":
                    await asyncio.sleep(1)
                note("cleaned up")

        async def fail():
            await asyncio.sleep(1)
            raise ValueError("planted")

        async def limited():
            async with asyncio.timeout(1):
                await body()

        async def beside():
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
                await body()

        def cancel():
            task.cancel("stop")

        def at_two():
            trigger()
            if moment == "as the wake-up is on its way":
                cancel()

        loop.call_at(2, at_two)
        if moment.startswith("just before"):
            loop.call_at(1, cancel)
        outer = body
        if moment.endswith("deadline"):
            outer = limited
        elif "sibling" in moment:
            outer = beside
        task = loop.create_task(outer())
        if moment == "before the first wait":
            cancel()
        if moment in ("while waiting", "twice", "in the cleanup"):
            loop.call_at(1, cancel)
        if moment == "twice":
            loop.call_at(1, cancel)
        if moment == "in the cleanup":
            loop.call_at(1.5, cancel)
        if moment.startswith("just after"):
            # The deadline's own timer comes first.
            loop.call_soon(lambda: loop.call_soon(lambda: loop.call_at(1, cancel)))
        try:
            await asyncio.shield(task)
            ended = "returned"
        except BaseException as error:
            ended = text(error)
        note(f"ended {ended} {task.cancelling()}")

    loop.run_until_complete(main())
    loop.close()
    return log


if __name__ == "__main__":
    names = list(waits(VirtualLoop()))
    table = {name: {moment: run(name, moment) for moment in MOMENTS} for name in names}
    json.dump(table, sys.stdout, indent=1)
    print()
