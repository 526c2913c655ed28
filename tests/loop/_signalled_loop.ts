/**
 * A whole loop in virtual time, with signals that a test raises.
 *
 * @module
 */
import { DenoEventLoop, type ExceptionContext, type Signals } from "../../loop/mod.ts";
import { VirtualClock } from "./_virtual_clock.ts";

/** Signals that a test raises. */
class RaisedSignals implements Signals {
  readonly #listeners: Map<Deno.Signal, Set<() => void>> = new Map();

  listen(signal: Deno.Signal, callback: () => void): () => void {
    const listeners = this.#listeners.get(signal) ?? new Set();
    this.#listeners.set(signal, listeners.add(callback));
    return () => listeners.delete(callback);
  }

  /** Calls the listeners of `signal`. Returns how many there were. */
  raise(signal: Deno.Signal): number {
    const listeners = [...this.#listeners.get(signal) ?? []];
    for (const callback of listeners) callback();
    return listeners.length;
  }
}

/** A {@linkcode DenoEventLoop} that gets its signals from the test. */
export class SignalledLoop extends DenoEventLoop {
  readonly #signals: RaisedSignals;
  #reports: ExceptionContext[] = [];

  constructor() {
    const host = new DenoEventLoop();
    host.close();
    const signals = new RaisedSignals();
    super({ platform: { ...host.platform, clock: new VirtualClock(), signals } });
    this.#signals = signals;
    this.setExceptionHandler((_loop, context) => void this.#reports.push(context));
  }

  /** Sends `signal` to the process, as far as this loop sees. Returns how many listen to it. */
  raise(signal: Deno.Signal): number {
    return this.#signals.raise(signal);
  }

  /** Sends `signal` after `delay` seconds. */
  raiseAfter(delay: number, signal: Deno.Signal): void {
    this.callLater(delay, () => this.raise(signal));
  }

  /** Returns what was reported since the last call. */
  takeReports(): ExceptionContext[] {
    const reports = this.#reports;
    this.#reports = [];
    return reports;
  }
}
