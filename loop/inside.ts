/**
 * The names of what the files of this package call of each other and users do not see.
 *
 * A public class shows what asyncio has. What else another file needs of it, or a subclass
 * overrides, is keyed by a symbol of this file; what one file alone needs is `#private`, and what
 * one file gives to a few is a function that a static block sets (see `loop/tasks/future.ts`).
 *
 * The whole module as `inside` costs no more than names imported from it, nor does a method by a symbol
 * where objects of few classes have it; of more than four kinds the engine finds it by a search, as it
 * does what is `#private` (CONTRIBUTING.md, "Insides"). An object that is written out with a function under a
 * symbol costs half a microsecond each time: see `loop/scheduling/step.ts`.
 *
 * @module
 */
/** Whether tasks were abandoned. */
export const abandoned: unique symbol = Symbol("abandoned");
/** What a signal aborted with; `null` if it did not. */
export const abortReason: unique symbol = Symbol("abortReason");
/** Adds a host to the network. */
export const addHost: unique symbol = Symbol("addHost");
/** Puts a waiter into the line. */
export const addWaiter: unique symbol = Symbol("addWaiter");
/** Hears what came of a cancellation that went on through a wait. */
export const answerCancel: unique symbol = Symbol("answerCancel");
/** What a future waits for itself. */
export const awaited: unique symbol = Symbol("awaited");
/** An `await` in an async function, or by a native promise. */
export const awaitIn: unique symbol = Symbol("awaitIn");
/** Begins what starts only where it is first consumed. */
export const begin: unique symbol = Symbol("begin");
/** Cancels for a reason that is there already. */
export const cancel: unique symbol = Symbol("cancel");
/** The reason of the last cancellation that is kept. */
export const cancelReason: unique symbol = Symbol("cancelReason");
/** Cancels the task that serves a connection. */
export const cancelServing: unique symbol = Symbol("cancelServing");
/** Throws unless a callback can be scheduled. */
export const checkCallback: unique symbol = Symbol("checkCallback");
/** Throws if a connection was closed while something else had it. */
export const checkLeft: unique symbol = Symbol("checkLeft");
/** A child of a group has ended. */
export const childDone: unique symbol = Symbol("childDone");
/** The end of a group: waits for the children, and gives the error of it all. */
export const close: unique symbol = Symbol("close");
/** The context in which a failure is reported. */
export const context: unique symbol = Symbol("context");
/** Takes a host away. */
export const crash: unique symbol = Symbol("crash");
/** What a deadline cancels: a task, an operation or a scope. */
export const cutsShort: unique symbol = Symbol("cutsShort");
/** Waits until the peer has taken enough. */
export const drain: unique symbol = Symbol("drain");
/** How many cancellations are due. */
export const dueCount: unique symbol = Symbol("dueCount");
/** Waits until all that was written went out. */
export const emptied: unique symbol = Symbol("emptied");
/** Ends a simulation. */
export const end: unique symbol = Symbol("end");
/** All that a cancellation went on to have answered. */
export const endCancel: unique symbol = Symbol("endCancel");
/** Says what has come of connecting. */
export const endConnect: unique symbol = Symbol("endConnect");
/** What a transport was left for has come to its end. */
export const endLeaving: unique symbol = Symbol("endLeaving");
/** Everybody may write again. */
export const endLending: unique symbol = Symbol("endLending");
/** Kills the children of a loop, and waits for their ends. */
export const endProcesses: unique symbol = Symbol("endProcesses");
/** Adds an entry to the ready queue. */
export const enqueue: unique symbol = Symbol("enqueue");
/** The foreign context in which a failure is reported; `undefined` for that of who reports it. */
export const engineContext: unique symbol = Symbol("engineContext");
/** Runs an entry for an event of the host. */
export const enter: unique symbol = Symbol("enter");
/** The body of a timeout begins. */
export const enterBody: unique symbol = Symbol("enterBody");
/** The body of a timeout has ended; whether that was the deadline. */
export const exitBody: unique symbol = Symbol("exitBody");
/** Names tasks that were asked to end and go on for seconds. */
export const expectEnd: unique symbol = Symbol("expectEnd");
/** What a snapshot tells of something open. */
export const figures: unique symbol = Symbol("figures");
/** Lets go of a cancellation that has arrived elsewhere. */
export const forget: unique symbol = Symbol("forget");
/** The group that a child task is in. */
export const group: unique symbol = Symbol("group");
/** Whether something that was written was dropped. */
export const hasDropped: unique symbol = Symbol("hasDropped");
/** The cancellation that a group has kept back. */
export const hidden: unique symbol = Symbol("hidden");
/** Who holds what is waited for, where that is known. */
export const holder: unique symbol = Symbol("holder");
/** The hosts of a simulation. */
export const hosts: unique symbol = Symbol("hosts");
/** What an object is in a message: `task "db"`, `Queue (3 of 5)`; `null` for a wait that is named by what it waits for. */
export const inWords: unique symbol = Symbol("inWords");
/** Lets a clock call now and then, as long as anything else happens. */
export const idle: unique symbol = Symbol("idle");
/** Whether the connection is gone. */
export const isLost: unique symbol = Symbol("isLost");
/** Whether the stream was accepted. */
export const isServer: unique symbol = Symbol("isServer");
/** Whether no byte went either way since this was asked last. */
export const isSilent: unique symbol = Symbol("isSilent");
/** Whether a loop waits, so that an event runs at once. */
export const isWaiting: unique symbol = Symbol("isWaiting");
/** Lets timers count that keep nothing going by themselves. */
export const keepGoing: unique symbol = Symbol("keepGoing");
/** Gives the channel of a transport away. */
export const leave: unique symbol = Symbol("leave");
/** Lets one writer have a transport for itself. */
export const lend: unique symbol = Symbol("lend");
/** Somebody else has gone on with a coroutine. */
export const loseCoroutine: unique symbol = Symbol("loseCoroutine");
/** What measures a loop; `null` while nothing is measured. */
export const meter: unique symbol = Symbol("meter");
/** The stream goes on over another transport. */
export const move: unique symbol = Symbol("move");
/** The network as a host sees it. */
export const networkOf: unique symbol = Symbol("networkOf");
/** The link on in the list of a loop's tasks. */
export const nextTask: unique symbol = Symbol("nextTask");
/** A future that was pending is cancelled. */
export const noteCancelled: unique symbol = Symbol("noteCancelled");
/** What begins only where it is awaited, and was not yet. */
export const notBegun: unique symbol = Symbol("notBegun");
/** Notes where a task waits; debug mode only. */
export const noteWait: unique symbol = Symbol("noteWait");
/** The options of the futures of a stream. */
export const options: unique symbol = Symbol("options");
/** Where something was created. */
export const originOf: unique symbol = Symbol("originOf");
/** What is told of the life of a connection: its server. */
export const owner: unique symbol = Symbol("owner");
/** The options of what belongs to the loop and has no others; one object for them all. */
export const ownOptions: unique symbol = Symbol("ownOptions");
/** Takes a cancellation, or says who it goes on to. */
export const passCancel: unique symbol = Symbol("passCancel");
/** Lets a simulated host, or its alarm, stand still. */
export const pause: unique symbol = Symbol("pause");
/** The pipes as a host sees them. */
export const pipesOf: unique symbol = Symbol("pipesOf");
/** Where the code of a simulated host runs. */
export const place: unique symbol = Symbol("place");
/** The link back in the list of a loop's tasks. */
export const previousTask: unique symbol = Symbol("previousTask");
/** Makes a cancellation due that was counted before. */
export const recancel: unique symbol = Symbol("recancel");
/** What was measured of a task. */
export const record: unique symbol = Symbol("record");
/** Lets go of something open at once, as its loop closes. */
export const release: unique symbol = Symbol("release");
/** Notes where something was created; debug mode only. */
export const rememberOrigin: unique symbol = Symbol("rememberOrigin");
/** Takes an alarm back. */
export const remove: unique symbol = Symbol("remove");
/** Takes a waiter out of the line, and wakes the next where that is due. */
export const removeWaiter: unique symbol = Symbol("removeWaiter");
/** Calls the exception handler, in a context. */
export const report: unique symbol = Symbol("report");
/** Breaks a simulated connection, and tells the peer. */
export const reset: unique symbol = Symbol("reset");
/** Lets virtual time stand. */
export const rest: unique symbol = Symbol("rest");
/** Says what a clock calls before time goes on. */
export const rested: unique symbol = Symbol("rested");
/** Goes on within the callback that completes what was awaited. */
export const resume: unique symbol = Symbol("resume");
/** Whether a future delivers what it gives, and takes a cancellation that is due, itself. */
export const resumesConsumer: unique symbol = Symbol("resumesConsumer");
/** Who keeps a cancellation that found nothing to interrupt. */
export const root: unique symbol = Symbol("root");
/** A step that the ready queue drives: of a handle, a task, an operation, an event of the host. */
export const run: unique symbol = Symbol("run");
/** Runs a main function and closes the runner. */
export const runAndClose: unique symbol = Symbol("runAndClose");
/** Has the host send a file. */
export const sendFile: unique symbol = Symbol("sendFile");
/** Sets what looks for events while a loop runs. */
export const setPoller: unique symbol = Symbol("setPoller");
/** The signal that ended a run. */
export const signal: unique symbol = Symbol("signal");
/** Signals that are sent to a simulated host. */
export const signals: unique symbol = Symbol("signals");
/** The type of the function that a job stands for; never there at run time. */
export const signature: unique symbol = Symbol("signature");
/** What a queue is fed by, where that is known. */
export const sources: unique symbol = Symbol("sources");
/** Spends the cancellation that is due on what is awaited. */
export const spendCancel: unique symbol = Symbol("spendCancel");
/** Begins to accept. */
export const start: unique symbol = Symbol("start");
/** Says in which context a clock calls. */
export const runIn: unique symbol = Symbol("runIn");
/** Submits a job with its settings. */
export const submit: unique symbol = Symbol("submit");
/** Adds who waits for a future; an operation resumes the first of them itself. */
export const subscribe: unique symbol = Symbol("subscribe");
/** Takes the cancellation that is due. */
export const takeCancel: unique symbol = Symbol("takeCancel");
/** Takes what has come and was not read. */
export const takeUnread: unique symbol = Symbol("takeUnread");
/** The task that a coroutine is part of. */
export const task: unique symbol = Symbol("task");
/** The tasks of a loop that are not done. */
export const tasks: unique symbol = Symbol("tasks");
/** The line that stands for a handle. */
export const text: unique symbol = Symbol("text");
/** The timers that are pending. */
export const timers: unique symbol = Symbol("timers");
/** Accepts a connection, if there is one. */
export const tryAccept: unique symbol = Symbol("tryAccept");
/** Takes a lock if nobody has it and nobody waits. */
export const tryAcquire: unique symbol = Symbol("tryAcquire");
/** Begins to connect. */
export const tryConnect: unique symbol = Symbol("tryConnect");
/** Receives what is there, if anything is. */
export const tryReceive: unique symbol = Symbol("tryReceive");
/** The same, with where it has come from. */
export const tryReceiveFrom: unique symbol = Symbol("tryReceiveFrom");
/** Sends as much as there is room for. */
export const trySend: unique symbol = Symbol("trySend");
/** Sends a datagram, if there is room. */
export const trySendTo: unique symbol = Symbol("trySendTo");
/** The errors of a loop that nobody has looked at. */
export const unretrievedErrors: unique symbol = Symbol("unretrievedErrors");
/** Who waited waits no longer. */
export const unsubscribe: unique symbol = Symbol("unsubscribe");
/** Waits for the end of the connection. */
export const waitClosed: unique symbol = Symbol("waitClosed");
/** What waiting for it is called, where it is not named by its class. */
export const waitInWords: unique symbol = Symbol("waitInWords");
/** Where a task waits; debug mode only. */
export const waitsAt: unique symbol = Symbol("waitsAt");
/** Whether nobody serves a connection, or who does waits for the other side. */
export const waitsForPeer: unique symbol = Symbol("waitsForPeer");
/** Wakes the first in a line who is not awake yet. */
export const wakeNext: unique symbol = Symbol("wakeNext");
/** Waits for something else while a transport is open. */
export const whileOpen: unique symbol = Symbol("whileOpen");
/** Writes as the one who has borrowed a transport. */
export const writeLent: unique symbol = Symbol("writeLent");
/** What a simulation shares. */
export const world: unique symbol = Symbol("world");
