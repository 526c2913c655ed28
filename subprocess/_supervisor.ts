import type { EventLoop } from "../loop/event_loop.ts";
import type { Future } from "../loop/tasks/future.ts";
import type { TimerHandle } from "../loop/scheduling/timer_handle.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { wait } from "../loop/structure/wait.ts";

/** Starts workers. */
export interface WorkerHost {
  /** Starts the worker at place `index`. What becomes of it is reported from entries of the loop. */
  start(index: number, sink: ServingSink): ServingLink;
  /** Lets go of the socket: when the workers have too, connecting is refused. Idempotent. */
  close(): void;
}

/** The supervisor's side of a worker. */
export interface ServingLink {
  /** What it is, at the beginning of a sentence: `Process 4711`. */
  readonly name: string;
  /** Asks it to serve what it has, and to end. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

/** Who is told what becomes of a worker. */
export interface ServingSink {
  /** It accepts connections. */
  serving(): void;
  /** It is gone. Last call, exactly once. `how` is the end of a sentence: `exited with code 3`. */
  ended(how: string): void;
}

/** How many workers there are, and how long they may take. */
export interface SupervisorSettings {
  readonly workers: number;
  readonly grace: number;
  /** Called when the first of all serves. */
  readonly onServing: () => void;
}

/** A worker is starting until it serves, and ending from when it is asked to end. */
type State = "starting" | "serving" | "ending" | "ended";

/** Seconds that a worker must have served, so that its end does not let its place pause longer. */
const GROWN_UP = 10;
/** Seconds until the successor of a worker that died young; twice as many each time. */
const FIRST_PAUSE = 0.1;
const LONGEST_PAUSE = 10;
/** Seconds that a worker may take to serve when its predecessor waits for it. */
const LONGEST_START = 60;

/** Seconds from asking a worker to end until it is killed; it is to say goodbye within the first. */
function patience(grace: number): number {
  return grace * 1.25 + 2;
}

/**
 * Keeps workers running.
 *
 * *Theory of operation.* Each worker has a place. When it dies, its place gets another: at once if it
 * has served for a while, else after a pause that doubles. Rolling goes through the places: the next
 * worker starts beside the one before, which is asked to end once the next one serves. If the next
 * one does not get there, the roll ends, and those that serve stay. A first worker of all that dies
 * before any has served ends everything: there is a mistake in the program.
 */
export class Supervisor {
  readonly #loop: EventLoop;
  readonly #host: WorkerHost;
  readonly #settings: SupervisorSettings;
  readonly #places: readonly Place[];
  /** Every worker that is not gone. */
  readonly #workers: Set<ServingWorker> = new Set();
  readonly #stopped: Future<void>;
  #allGone: Future<void> | null = null;
  #hasServed = false;
  #isStopping = false;
  #killed = 0;
  /** How many rolls are still to be made. */
  #rolls = 0;
  #isRolling = false;

  constructor(loop: EventLoop, host: WorkerHost, settings: SupervisorSettings) {
    this.#loop = loop;
    this.#host = host;
    this.#settings = settings;
    this.#stopped = loop.createFuture();
    this.#places = Array.from({ length: settings.workers }, (_, index) => new Place(index));
  }

  /**
   * Runs workers until {@linkcode stop}, and until all have ended.
   *
   * @returns How many had to be killed for that.
   * @throws {Error} If the first one could not serve.
   */
  *run(): Coroutine<number> {
    try {
      for (const place of this.#places) place.worker = this.#create(place);
      yield* this.#stopped;
    } finally {
      yield* this.#endSteps();
    }
    return this.#killed;
  }

  /** Asks all workers to end. A second call kills them. */
  stop(): void {
    if (this.#isStopping) this.#killAll();
    else if (!this.#stopped.done()) this.#stopped.setResult();
  }

  /** Replaces each worker by a new one, one after the other. During a roll another one follows. */
  roll(): void {
    if (this.#isStopping) return;
    this.#rolls = Math.min(this.#rolls + 1, this.#isRolling ? 2 : 1);
    if (this.#isRolling) return;
    this.#isRolling = true;
    this.#loop.createTask(this.#rollSteps());
  }

  *#rollSteps(): Coroutine<void> {
    try {
      for (; this.#rolls > 0; this.#rolls -= 1) {
        for (const place of this.#places) yield* this.#replaceSteps(place);
      }
    } catch (error) {
      if (!(error instanceof RollEnded)) throw error;
      if (!this.#isStopping) this.#tell(error.message);
    } finally {
      this.#isRolling = false;
      this.#rolls = 0;
    }
  }

  *#replaceSteps(place: Place): Coroutine<void> {
    if (this.#isStopping) throw new RollEnded("The supervisor is ending");
    const before = place.worker;
    if (before === null) {
      // One that died waits for its pause. Whoever rolls has mended what made it die.
      place.cancelPause();
      return this.#startAgain(place);
    }
    const next = this.#create(place);
    yield* wait([next.settled], { timeout: LONGEST_START });
    if (next.state !== "serving") {
      const how = next.end ?? `does not serve after ${LONGEST_START} seconds`;
      this.#kill(next);
      throw new RollEnded(`${next.link.name} ${how}; those before it go on`);
    }
    const current = place.worker;
    place.worker = next;
    if (current === null) return place.cancelPause();
    this.#ask(current);
    yield* wait([current.gone]);
  }

  /** Starts the successor of a worker that died. */
  #startAgain(place: Place): void {
    try {
      place.worker = this.#create(place);
    } catch (error) {
      // The system may lack memory or descriptors; it may have them later.
      this.#tell(`Worker ${place.index + 1} does not start; it is tried again`, error);
      this.#startLater(place, place.pauseAfter(0));
    }
  }

  #startLater(place: Place, pause: number): void {
    place.pause = this.#loop.callLater(pause, () => this.#startAgain(place));
  }

  #create(place: Place): ServingWorker {
    const worker: ServingWorker = new ServingWorker(
      this.#loop,
      (sink) => this.#host.start(place.index, sink),
      {
        serving: () => this.#onServing(worker),
        ended: (how) => this.#onEnded(worker, place, how),
      },
    );
    this.#workers.add(worker);
    return worker;
  }

  #onServing(worker: ServingWorker): void {
    if (worker.state !== "starting") return;
    if (!this.#hasServed) this.#loop.callSoon(this.#settings.onServing);
    this.#hasServed = true;
    worker.state = "serving";
    worker.since = this.#loop.time();
    worker.settled.setResult();
  }

  #onEnded(worker: ServingWorker, place: Place, how: string): void {
    const { state } = worker;
    const age = state === "serving" ? this.#loop.time() - worker.since : 0;
    worker.state = "ended";
    worker.end = how;
    worker.alarm?.cancel();
    this.#workers.delete(worker);
    if (!worker.settled.done()) worker.settled.setResult();
    worker.gone.setResult();
    if (this.#workers.size === 0 && this.#allGone?.done() === false) this.#allGone.setResult();
    if (place.worker !== worker) return;
    place.worker = null;
    if (this.#stopped.done()) return;
    if (!this.#hasServed) {
      const message = `Cannot serve: ${worker.link.name} ${how} before it listened`;
      return this.#stopped.setException(new Error(message));
    }
    const pause = place.pauseAfter(age);
    this.#tell(`${worker.link.name} ${how}; another one starts in ${pause} seconds`);
    this.#startLater(place, pause);
  }

  *#endSteps(): Coroutine<void> {
    this.#isStopping = true;
    // Nobody is to wait for workers that do not come.
    this.#host.close();
    for (const place of this.#places) place.cancelPause();
    if (this.#workers.size === 0) return;
    this.#allGone = this.#loop.createFuture();
    for (const worker of this.#workers) this.#ask(worker);
    yield* this.#allGone;
  }

  /** Asks `worker` to end, and kills it if it does not. */
  #ask(worker: ServingWorker): void {
    if (worker.state === "ending" || worker.state === "ended") return;
    worker.state = "ending";
    worker.link.stop();
    worker.alarm = this.#loop.callLater(patience(this.#settings.grace), () => {
      this.#tell(`${worker.link.name} has not ended within its time, and is killed`);
      this.#kill(worker);
    });
  }

  #killAll(): void {
    for (const worker of this.#workers) this.#kill(worker);
  }

  #kill(worker: ServingWorker): void {
    if (worker.state === "ended") return;
    worker.state = "ending";
    this.#killed += 1;
    worker.link.kill();
  }

  #tell(message: string, exception?: unknown): void {
    this.#loop.callExceptionHandler(exception === undefined ? { message } : { message, exception });
  }
}

/** A place that a worker has, or is to have. */
class Place {
  readonly index: number;
  /** Who has it: not one that a roll has asked to end. */
  worker: ServingWorker | null = null;
  /** Starts the next one. */
  pause: TimerHandle | null = null;
  #nextPause = FIRST_PAUSE;

  constructor(index: number) {
    this.index = index;
  }

  /** Returns the seconds to wait after a worker that has served for `age`. */
  pauseAfter(age: number): number {
    if (age >= GROWN_UP) this.#nextPause = FIRST_PAUSE;
    const pause = age >= GROWN_UP ? 0 : this.#nextPause;
    if (pause > 0) this.#nextPause = Math.min(2 * pause, LONGEST_PAUSE);
    return pause;
  }

  cancelPause(): void {
    this.pause?.cancel();
    this.pause = null;
  }
}

/** One worker, from its start to its end. */
class ServingWorker {
  state: State = "starting";
  /** When it began to serve, by the clock of the loop. */
  since = 0;
  /** How it has ended. */
  end: string | null = null;
  /** Kills it, once it was asked to end. */
  alarm: TimerHandle | null = null;
  /** Done when it serves, or has ended. */
  readonly settled: Future<void>;
  /** Done when it has ended. */
  readonly gone: Future<void>;
  readonly link: ServingLink;

  constructor(loop: EventLoop, start: (sink: ServingSink) => ServingLink, sink: ServingSink) {
    this.settled = loop.createFuture();
    this.gone = loop.createFuture();
    this.link = start(sink);
  }
}

/** A roll goes no further. */
class RollEnded extends Error {}
