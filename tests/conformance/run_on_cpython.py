"""Runs programs of tests/conformance on CPython's asyncio, under a virtual clock.

Reads one program (JSON) a line from standard input, and writes for each one line: the JSON list
of its trace, or null for a program that CPython itself cannot run (tasks that cancel each other
in a circle overflow its stack). program.ts has the language, coroutine_program.ts the same
interpreter on our coroutines: the two must stay alike, statement by statement.

CPython leaves two orders open that we define: equal deadlines fire, and the children of a
TaskGroup are cancelled, in order of creation. It is told to do so here. And a timeout whose time is
up at once takes a cancellation that is due for its own (python/cpython#134471); that is mended.
"""

import asyncio
import contextvars
import gc
import heapq
import json
import sys

# At `CANCEL_ALL` every task that is not done is cancelled; at `END` the final states are written.
CANCEL_ALL = 100
END = 200

# What the library raises for misuse has other classes in TypeScript.
MISUSE = (RuntimeError, ValueError, TypeError, asyncio.InvalidStateError)

setting = contextvars.ContextVar("setting", default=0)


class Boom(Exception):
    """The error that programs raise."""


class OrderedTimer(asyncio.TimerHandle):
    """Fires equal deadlines in order of creation."""

    __slots__ = ("sequence",)

    def __lt__(self, other):
        return (self._when, self.sequence) < (other._when, other.sequence)


class NoSelector:
    """Waits by letting the clock of the loop jump to the next deadline."""

    def __init__(self, loop):
        self.loop = loop

    def select(self, timeout):
        if timeout is None:
            raise SystemError("nothing can wake the loop")
        if timeout > 0:
            self.loop.now = self.loop._scheduled[0]._when
        return ()


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose time passes only while it waits."""

    def __init__(self):
        super().__init__()
        self.now = 0
        self.timers = 0
        self._clock_resolution = 1e-9
        self._selector = NoSelector(self)

    def time(self):
        return self.now

    def call_at(self, when, callback, *args, context=None):
        timer = OrderedTimer(when, callback, args, self, context)
        timer.sequence = self.timers
        self.timers += 1
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def _process_events(self, events):
        pass


class OrderedTasks(dict):
    """As much of a set as TaskGroup uses, in order of insertion."""

    def add(self, task):
        self[task] = None

    def discard(self, task):
        self.pop(task, None)


original_group_init = asyncio.TaskGroup.__init__


def init_ordered_group(group):
    original_group_init(group)
    group._tasks = OrderedTasks()


asyncio.TaskGroup.__init__ = init_ordered_group

original_timeout_enter = asyncio.Timeout.__aenter__


async def enter_timeout(timeout):
    await original_timeout_enter(timeout)
    # A cancellation that is due was asked for from outside, as one that comes in the body.
    timeout._cancelling -= timeout._task._must_cancel
    return timeout


asyncio.Timeout.__aenter__ = enter_timeout


def error_text(error):
    if isinstance(error, BaseExceptionGroup):
        return "Group[" + ", ".join(error_text(each) for each in error.exceptions) + "]"
    if isinstance(error, Boom):
        return f"Boom({error.args[0]})"
    if isinstance(error, asyncio.CancelledError):
        return f"Cancelled({error.args[0]})" if any(error.args) else "Cancelled"
    return "Misuse" if type(error) in MISUSE else type(error).__name__


def value_text(value):
    if isinstance(value, list):
        return "[" + ", ".join(value_text(each) for each in value) + "]"
    if isinstance(value, BaseException):
        return error_text(value)
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


class World:
    """What a program acts on, and the trace that it leaves."""

    def __init__(self, program, loop):
        self.program = program
        self.loop = loop
        self.trace = []
        self.over = False
        self.overflowed = False
        self.labels = {}
        self.unnamed = 0
        self.tasks = {}
        self.futures = [loop.create_future() for _ in range(program["futures"])]
        self.locks = [asyncio.Lock() for _ in range(program["locks"])]
        self.semaphores = [asyncio.Semaphore(value) for value in program["semaphores"]]
        self.bounded = [asyncio.BoundedSemaphore(value) for value in program["bounded"]]
        self.events = [asyncio.Event() for _ in range(program["events"])]
        self.conditions = [
            asyncio.Condition() if lock is None else asyncio.Condition(self.locks[lock])
            for lock in program["conditions"]
        ]
        self.barriers = [asyncio.Barrier(parties) for parties in program["barriers"]]
        self.queues = [self.make_queue(**queue) for queue in program["queues"]]
        self.variables = [0] * program["variables"]
        self.callbacks = {}
        self.handles = {}
        self.scopes = {}
        self.groups = {}

    @staticmethod
    def make_queue(kind, limit):
        classes = {"fifo": asyncio.Queue, "lifo": asyncio.LifoQueue, "priority": asyncio.PriorityQueue}
        return classes[kind](limit)

    # The trace

    def label(self, task):
        if task is None:
            return "-"
        if task not in self.labels:
            self.unnamed += 1
            self.labels[task] = f"u{self.unnamed}"
        return self.labels[task]

    def log(self, event):
        if not self.over:
            self.trace.append(f"{self.loop.now:g} {self.label(asyncio.current_task(self.loop))} {event}")

    def log_value(self, statement, value):
        self.log(f"{statement['op']}{statement['id']} = {value_text(value)}")

    def state_text(self, future):
        if not future.done():
            return "pending"
        try:
            error = future.exception()
        except asyncio.CancelledError as error:
            return ("cancelled " if future.cancelled() else "odd ") + error_text(error)
        if error is not None:
            return "failed " + error_text(error)
        return "finished " + value_text(future.result())

    def resource(self, kind, index):
        lists = {
            "lock": self.locks,
            "semaphore": self.semaphores,
            "bounded": self.bounded,
            "condition": self.conditions,
        }
        return lists[kind][index]

    # What programs refer to

    def future_of(self, ref):
        if "task" in ref:
            return self.tasks.get(ref["task"])
        return self.futures[ref["future"]]

    def name_of(self, future):
        if isinstance(future, asyncio.Task):
            return self.label(future)
        return f"f{self.futures.index(future)}"

    def spawn(self, name, create):
        if name in self.tasks:
            return
        task = create()
        self.tasks[name] = task
        self.labels[task] = f"t{name}"

    def callback(self, name):
        if name not in self.callbacks:

            def call(future):
                self.log(f"callback{name} of {self.state_text(future)}")
                self.act(self.program["callbacks"][name])

            self.callbacks[name] = call
        return self.callbacks[name]

    def on_timer(self, statement):
        self.log(f"fired{statement['id']}")
        self.act(statement["body"])

    def act(self, statements):
        """Runs statements that do not wait; a `raise` goes to the exception handler."""
        for statement in statements:
            if self.over:
                return
            self.run_action(statement)

    def run_action(self, statement):
        action = getattr(self, "do_" + statement["op"])
        try:
            value = action(statement)
        except Boom:
            raise
        except Exception as error:
            self.note(error)
            self.log(f"{statement['op']}{statement['id']} ! {error_text(error)}")
        else:
            self.log_value(statement, value)

    def holds(self, statement):
        """The predicate of a condition; it may cancel the task that asks."""
        value = self.variables[statement["variable"]]
        self.log(f"predicate{statement['id']} {value}")
        if statement["cancels"] and value > 0:
            asyncio.current_task().cancel("predicate")
        return value >= statement["value"]

    def note(self, error):
        if isinstance(error, RecursionError):
            self.overflowed = True

    # Statements that do not wait

    def do_log(self, statement):
        return setting.get()

    def do_set(self, statement):
        setting.set(statement["value"])

    def do_raise(self, statement):
        raise Boom(statement["message"])

    def do_cancel(self, statement):
        future = self.future_of(statement["of"])
        return None if future is None else future.cancel(statement["message"])

    def do_cancelSelf(self, statement):
        task = asyncio.current_task()
        return None if task is None else task.cancel(statement["message"])

    def do_uncancel(self, statement):
        name = statement["task"]
        task = asyncio.current_task() if name is None else self.tasks.get(name)
        return None if task is None else task.uncancel()

    def do_look(self, statement):
        future = self.future_of(statement["of"])
        if future is None:
            return None
        count = future.cancelling() if isinstance(future, asyncio.Task) else 0
        return [count, self.state_text(future)]

    def do_spawn(self, statement):
        body = statement["body"]
        create = self.create_eagerly if statement["eager"] else self.loop.create_task
        self.spawn(statement["task"], lambda: create(self.body(statement["task"], body)))

    def create_eagerly(self, coroutine):
        return asyncio.Task(coroutine, loop=self.loop, eager_start=True)

    def do_groupSpawn(self, statement):
        group = self.groups.get(statement["group"])
        if group is None:
            return None
        body = statement["body"]
        self.spawn(statement["task"], lambda: group.create_task(self.body(statement["task"], body)))

    def do_setResult(self, statement):
        self.futures[statement["future"]].set_result(statement["value"])

    def do_setException(self, statement):
        self.futures[statement["future"]].set_exception(Boom(statement["message"]))

    def do_addCallback(self, statement):
        future = self.future_of(statement["of"])
        if future is not None:
            future.add_done_callback(self.callback(statement["callback"]))

    def do_removeCallback(self, statement):
        future = self.future_of(statement["of"])
        if future is not None:
            return future.remove_done_callback(self.callback(statement["callback"]))

    def do_callSoon(self, statement):
        self.handles[statement["id"]] = self.loop.call_soon(self.on_timer, statement)

    def do_callLater(self, statement):
        handle = self.loop.call_later(statement["delay"], self.on_timer, statement)
        self.handles[statement["id"]] = handle

    def do_cancelHandle(self, statement):
        handle = self.handles.get(statement["handle"])
        if handle is None:
            return None
        handle.cancel()
        return handle.cancelled()

    def do_reschedule(self, statement):
        scope = self.scopes.get(statement["scope"])
        if scope is None:
            return None
        delay = statement["delay"]
        scope.reschedule(None if delay is None else self.loop.now + delay)
        return scope.when()

    def do_release(self, statement):
        self.resource(statement["kind"], statement["index"]).release()

    def do_locked(self, statement):
        return self.resource(statement["kind"], statement["index"]).locked()

    def do_notify(self, statement):
        condition = self.conditions[statement["index"]]
        if statement["count"] is None:
            condition.notify_all()
        else:
            condition.notify(statement["count"])

    def do_setEvent(self, statement):
        self.events[statement["index"]].set()

    def do_clearEvent(self, statement):
        self.events[statement["index"]].clear()

    def do_putNowait(self, statement):
        self.queues[statement["index"]].put_nowait(statement["value"])

    def do_getNowait(self, statement):
        return self.queues[statement["index"]].get_nowait()

    def do_taskDone(self, statement):
        self.queues[statement["index"]].task_done()

    def do_shutdown(self, statement):
        self.queues[statement["index"]].shutdown(statement["immediate"])

    def do_size(self, statement):
        queue = self.queues[statement["index"]]
        return [queue.qsize(), queue.empty(), queue.full()]

    def do_assign(self, statement):
        self.variables[statement["variable"]] = statement["value"]

    def do_barrierState(self, statement):
        barrier = self.barriers[statement["index"]]
        return [barrier.n_waiting, barrier.broken]

    # Statements that may wait. A block gives None, or a list of the value that it returns.

    async def body(self, name, statements):
        self.log(f"begin{name}")
        try:
            returned = await self.block(statements)
        finally:
            self.log(f"end{name}")
        return returned[0] if returned else name

    async def block(self, statements):
        for statement in statements:
            if self.over:
                return None
            returned = await self.step(statement)
            if returned is not None:
                return returned
        return None

    async def step(self, statement):
        operation = getattr(self, "run_" + statement["op"], None)
        if operation is None:
            self.run_action(statement)
            return None
        try:
            return await operation(statement)
        except Exception as error:
            self.note(error)
            self.log(f"{statement['op']}{statement['id']} ! {error_text(error)}")
            if not statement.get("soft"):
                raise
        except asyncio.CancelledError as error:
            self.log(f"{statement['op']}{statement['id']} ! {error_text(error)}")
            raise

    def awaitable(self, expression):
        """Makes what `gather` and the like are given; None for a task that does not exist."""
        kind = expression["kind"]
        if kind == "ref":
            return self.future_of(expression["of"])
        if kind == "coroutine":
            return self.body(expression["name"], expression["body"])
        if kind == "gather":
            return asyncio.gather(
                *self.awaitables(expression["of"]),
                return_exceptions=expression["returnExceptions"],
            )
        if kind == "shield":
            inner = self.awaitable(expression["of"])
            return None if inner is None else asyncio.shield(inner)
        if kind == "waitFor":
            inner = self.awaitable(expression["of"])
            return None if inner is None else asyncio.wait_for(inner, expression["timeout"])
        if kind == "timeout":
            return self.timed_block(expression)
        return self.grouped_block(expression)

    def awaitables(self, expressions):
        return [each for each in map(self.awaitable, expressions) if each is not None]

    async def timed_block(self, scoped):
        async with asyncio.timeout(scoped["delay"]) as scope:
            self.scopes[scoped["id"]] = scope
            return await self.block(scoped["body"])

    async def grouped_block(self, scoped):
        async with asyncio.TaskGroup() as group:
            self.groups[scoped["id"]] = group
            return await self.block(scoped["body"])

    async def run_sleep(self, statement):
        self.log_value(statement, await asyncio.sleep(statement["delay"], statement["id"]))

    async def run_await(self, statement):
        awaitable = self.awaitable(statement["of"])
        if awaitable is not None:
            self.log_value(statement, await awaitable)

    async def run_return(self, statement):
        return [statement["value"]]

    async def run_raiseError(self, statement):
        raise Boom(statement["message"])

    async def run_raiseCancelled(self, statement):
        raise asyncio.CancelledError(statement["message"])

    async def run_repeat(self, statement):
        for _ in range(statement["times"]):
            returned = await self.block(statement["body"])
            if returned is not None:
                return returned

    async def run_try(self, statement):
        try:
            return await self.guarded(statement)
        finally:
            if not self.over:
                self.log(f"finally{statement['id']}")
                await self.block(statement["finally"])

    async def guarded(self, statement):
        if statement["catch"] is None:
            return await self.block(statement["body"])
        try:
            return await self.block(statement["body"])
        except (Exception, asyncio.CancelledError) as error:
            if not self.catches(statement["catch"], error):
                raise
            self.note(error)
            self.log(f"caught{statement['id']} ! {error_text(error)}")
            returned = await self.block(statement["handler"])
            if statement["rethrow"]:
                raise
            return returned

    @staticmethod
    def catches(kind, error):
        return kind == "all" or (kind == "cancelled") == isinstance(error, asyncio.CancelledError)

    async def run_timeout(self, statement):
        try:
            return await self.timed_block(statement)
        finally:
            scope = self.scopes.get(statement["id"])
            self.log(f"left timeout{statement['id']} {value_text(scope.expired())}")

    async def run_timeoutAt(self, statement):
        async with asyncio.timeout_at(statement["when"]) as scope:
            self.scopes[statement["id"]] = scope
            return await self.block(statement["body"])

    async def run_group(self, statement):
        returned = await self.grouped_block(statement)
        self.log(f"left group{statement['id']}")
        return returned

    async def run_waitFor(self, statement):
        awaitable = self.awaitable(statement["of"])
        if awaitable is not None:
            self.log_value(statement, await asyncio.wait_for(awaitable, statement["timeout"]))

    async def run_gather(self, statement):
        self.log_value(statement, await self.awaitable(dict(statement, kind="gather")))

    async def run_shield(self, statement):
        shielded = self.awaitable(dict(statement, kind="shield"))
        if shielded is not None:
            self.log_value(statement, await shielded)

    async def run_wait(self, statement):
        futures = [each for each in map(self.future_of, statement["of"]) if each is not None]
        modes = {
            "first": asyncio.FIRST_COMPLETED,
            "exception": asyncio.FIRST_EXCEPTION,
            "all": asyncio.ALL_COMPLETED,
        }
        done, pending = await asyncio.wait(
            futures, timeout=statement["timeout"], return_when=modes[statement["mode"]]
        )
        in_order = list(dict.fromkeys(futures))
        self.log_value(
            statement,
            [[self.name_of(each) for each in in_order if each in part] for part in (done, pending)],
        )

    async def run_asCompleted(self, statement):
        futures = [asyncio.ensure_future(each) for each in self.awaitables(statement["of"])]
        # CPython leaves open in which order several done ones come.
        done = [each for each in futures if each.done()]
        futures = [each for each in futures if not each.done() or each is done[0]]
        for next_one in asyncio.as_completed(futures, timeout=statement["timeout"]):
            self.log_value(statement, await next_one)

    async def run_acquire(self, statement):
        await self.resource(statement["kind"], statement["index"]).acquire()
        self.log_value(statement, None)

    async def run_with(self, statement):
        async with self.resource(statement["kind"], statement["index"]):
            self.log_value(statement, None)
            return await self.block(statement["body"])

    async def run_waitEvent(self, statement):
        await self.events[statement["index"]].wait()
        self.log_value(statement, None)

    async def run_waitCondition(self, statement):
        await self.conditions[statement["index"]].wait()
        self.log_value(statement, None)

    async def run_waitPredicate(self, statement):
        condition = self.conditions[statement["index"]]
        await condition.wait_for(lambda: self.holds(statement))
        self.log_value(statement, None)

    async def run_put(self, statement):
        await self.queues[statement["index"]].put(statement["value"])
        self.log_value(statement, None)

    async def run_get(self, statement):
        self.log_value(statement, await self.queues[statement["index"]].get())

    async def run_join(self, statement):
        await self.queues[statement["index"]].join()
        self.log_value(statement, None)

    async def run_waitBarrier(self, statement):
        self.log_value(statement, await self.barriers[statement["index"]].wait())

    async def run_resetBarrier(self, statement):
        await self.barriers[statement["index"]].reset()
        self.log_value(statement, None)

    async def run_abortBarrier(self, statement):
        await self.barriers[statement["index"]].abort()
        self.log_value(statement, None)

    # The run

    def cancel_all(self):
        self.log("cancel all")
        for task in list(self.labels):
            if not task.done():
                try:
                    task.cancel("end")
                except RecursionError as error:
                    self.note(error)

    def on_exception(self, loop, context):
        if "handle" in context:
            self.log(f"handler {error_text(context['exception'])}")
            self.note(context["exception"])

    def write_final_states(self):
        for name, task in self.tasks.items():
            self.log(f"t{name} is {self.state_text(task)} {task.cancelling()}")
        for index, future in enumerate(self.futures):
            self.log(f"f{index} is {self.state_text(future)}")
        locks = self.locks + self.semaphores + self.bounded + self.conditions
        self.log("locked " + value_text([each.locked() for each in locks]))
        self.log("set " + value_text([each.is_set() for each in self.events]))
        self.log("sizes " + value_text([each.qsize() for each in self.queues]))
        self.log("barriers " + value_text([[each.n_waiting, each.broken] for each in self.barriers]))


async def create_world(program, loop):
    return World(program, loop)


def run(program):
    loop = VirtualLoop()
    try:
        world = loop.run_until_complete(create_world(program, loop))
        loop.set_exception_handler(world.on_exception)
        world.spawn(0, lambda: loop.create_task(world.body(0, program["body"])))
        loop.call_at(CANCEL_ALL, world.cancel_all)
        loop.call_at(END, loop.stop)
        loop.run_forever()
        world.write_final_states()
        world.over = True
        return None if world.overflowed else world.trace
    finally:
        loop.close()


def main():
    # What a program leaves pending is destroyed later, in silence.
    sys.unraisablehook = lambda _: None
    sys.set_coroutine_origin_tracking_depth(0)
    import warnings

    warnings.simplefilter("ignore")
    import logging

    logging.disable(logging.CRITICAL)
    gc.disable()
    for count, line in enumerate(sys.stdin):
        trace = run(json.loads(line))
        sys.stdout.write(json.dumps(trace) + "\n")
        sys.stdout.flush()
        if count % 50 == 49:
            gc.collect()


if __name__ == "__main__":
    main()
