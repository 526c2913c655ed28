import type { Signals } from "../loop/platform/platform.ts";
import { signalNumber } from "./_signal_numbers.ts";

/** The signals of a simulated process: they come when the simulation says so. */
export class SimulatedSignals implements Signals {
  readonly #listeners: Map<Deno.Signal, Set<() => void>> = new Map();

  listen(signal: Deno.Signal, callback: () => void): () => void {
    const listener = () => callback();
    this.add(signal, listener);
    return () => this.remove(signal, listener);
  }

  /** Calls `listener` for each `signal`, which must be one. Adds it once. */
  add(signal: Deno.Signal, listener: () => void): void {
    signalNumber(signal);
    const listeners = this.#listeners.get(signal) ?? new Set();
    this.#listeners.set(signal, listeners.add(listener));
  }

  /** Forgets `listener`. */
  remove(signal: Deno.Signal, listener: () => void): void {
    this.#listeners.get(signal)?.delete(listener);
  }

  /** Delivers `signal`. Returns whether anybody listened. */
  send(signal: Deno.Signal): boolean {
    const listeners = [...this.#listeners.get(signal) ?? []];
    for (const listener of listeners) listener();
    return listeners.length > 0;
  }
}
