import { setImmediate } from "node:timers";

/** Node's queue between microtasks and events. The engine loads it when it is first asked for. */
interface Ticks {
  nextTick(callback: () => void): void;
}

/** Ends once the host had a turn for its events. */
export function afterTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Ends once the callbacks that Node's own modules wait for have run. */
export function afterTick(): Promise<void> {
  const { process } = globalThis as unknown as { process?: Ticks };
  return new Promise((resolve) => process === undefined ? resolve() : process.nextTick(resolve));
}
