"""Writes what CPython's asyncio does where a cancellation meets each kind of wait.

    python3.13 tests/loop/cancellation_table.py > tests/loop/cancellation_table.json

cancellation_table_test.ts does the same with this package: the two must stay alike.
"""

import asyncio
import concurrent.futures
import json
import os
import sys
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "conformance"))
from run_on_cpython import VirtualLoop as QuietLoop  # noqa: E402


class VirtualLoop(QuietLoop):
    """One that may be told something from outside, as of the end of a job."""

    def _write_to_self(self):
        pass


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


class ChildTransport(asyncio.base_subprocess.BaseSubprocessTransport):
    """The transport of a process that does not exist."""

    def _start(self, **_options):
        self._proc = SimpleNamespace(pid=42, returncode=None, poll=lambda: None)
        self._proc.stdin = self._proc.stdout = self._proc.stderr = None
        self._proc.kill = lambda: None



class Connection:
    """What a server counts."""


def child_of(loop):
    """A process, its transport, and what it prints."""
    protocol = asyncio.subprocess.SubprocessStreamProtocol(2**16, loop)
    transport = ChildTransport(loop, protocol, ["child"], False, None, None, None, 0)
    process = asyncio.subprocess.Process(transport, protocol, loop)
    process.stdout = asyncio.StreamReader()
    pipe = SimpleNamespace(close=lambda: None)
    transport._pipes[1] = SimpleNamespace(disconnected=True, pipe=pipe)
    return process, transport


def exit_process(process, transport):
    process.stdout.feed_data(b"output")
    process.stdout.feed_eof()
    transport._process_exited(3)


def end_job(job):
    if not job.done():
        job.set_result("value")


def outside_waits(loop):
    """As waits(), for what comes from outside; and turns until the wake-up is on its way."""
    process, transport = child_of(loop)
    server = asyncio.base_events.Server(loop, [], None, None, 1, None)
    client = Connection()
    jobs = [concurrent.futures.Future() for _ in range(2)]
    jobs[0].set_running_or_notify_cancel()
    executors = [SimpleNamespace(submit=lambda fn, job=job: job) for job in jobs]

    def exit_child():
        exit_process(process, transport)

    async def communicate():
        output, errors = await process.communicate()
        return [output.decode(), errors]

    async def closed():
        server._attach(client)
        server.close()
        await server.wait_closed()

    def disconnect():
        server._detach(client)

    async def serve_client():
        server._attach(client)
        await server.serve_forever()

    def disconnect_and_close():
        if client in server._clients:
            server._detach(client)
        server.close()

    def run_in(executor):
        async def job():
            return await loop.run_in_executor(executor, lambda: None)

        return job

    return {
        "Process.wait": (process.wait, exit_child, 1),
        "Process.communicate": (communicate, exit_child, 2),
        "Server.waitClosed": (closed, disconnect),
        "Server.serveForever": (server.serve_forever, server.close),
        "Server.serveForever with a client": (serve_client, disconnect_and_close),
        "runInExecutor on a thread": (run_in(executors[0]), lambda: end_job(jobs[0]), 1),
        "runInExecutor behind another job": (run_in(executors[1]), lambda: end_job(jobs[1]), 1),
        "runInExecutor on a process": (run_in(executors[0]), lambda: end_job(jobs[0]), 1),
    }


HALVES = {"loop": waits, "world": outside_waits}

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


def after_turns(loop, turns, callback):
    if turns == 0:
        callback()
    else:
        loop.call_soon(after_turns, loop, turns - 1, callback)


def run(half, name, moment):
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    log = []

    async def main():
        wait, trigger, *turns = HALVES[half](loop)[name]

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
                after_turns(loop, *(turns or [0]), cancel)

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


def names(half):
    async def main():
        return list(HALVES[half](asyncio.get_running_loop()))

    return asyncio.run(main())


if __name__ == "__main__":
    table = {
        half: {name: {moment: run(half, name, moment) for moment in MOMENTS} for name in names(half)}
        for half in HALVES
    }
    json.dump(table, sys.stdout, indent=1)
    print()
