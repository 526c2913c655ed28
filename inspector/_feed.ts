import type { LoopSnapshot } from "../loop/inspection/snapshot.ts";
import type { Warning } from "./_warnings.ts";

/** The lists of a snapshot whose members have a number. */
const LISTS = [
  "tasks",
  "futures",
  "queues",
  "transports",
  "servers",
  "processes",
  "executors",
] as const;

/** The lists that go as a whole when something in them is new. */
const WHOLE_LISTS = ["ended", "slow", "unretrieved", "timers"] as const;

/** Timers that are sent. */
const MOST_TIMERS = 50;

/** A JSON that may have a very long text in it. */
const LONG_TEXT = 2_000;
/** Characters of a text that are shown. */
const LONGEST_PART = 500;

/** What is sent of a loop: all of it, or what has changed. */
export interface Message {
  /** Whether it stands for itself; else for what is to be changed in the one before. */
  whole: boolean;
  /** Figures of the whole loop. */
  head: Record<string, unknown>;
  /** Members of lists that are new or changed. */
  set: Record<string, unknown[]>;
  /** The numbers of those that are gone. */
  gone: Record<string, number[]>;
  /** Lists that have changed, as a whole. */
  lists: Record<string, unknown[]>;
}

/** Turns snapshots of a loop into what is new since the one before. */
export class Feed {
  readonly #known: Map<string, Map<number, string>> = new Map();
  readonly #lists: Map<string, string> = new Map();
  #head = "{}";

  constructor() {
    for (const list of LISTS) this.#known.set(list, new Map());
  }

  /** What there was at the last {@linkcode change}, as the JSON of a {@linkcode Message}. */
  whole(): string {
    const set = [...this.#known].map(([list, known]) => `"${list}":[${[...known.values()]}]`);
    const lists = [...this.#lists].map(([list, text]) => `"${list}":${text}`);
    return `{"whole":true,"head":${this.#head},"set":{${set}},"gone":{},"lists":{${lists}}}`;
  }

  /** What has changed with `snapshot`, as the JSON of a {@linkcode Message}. */
  change(snapshot: LoopSnapshot, warnings: readonly Warning[], extra: object): string {
    const { time } = snapshot;
    const set: string[] = [];
    const gone: string[] = [];
    for (const list of LISTS) {
      const { changed, lost } = this.#compare(list, snapshot[list], time);
      if (changed.length > 0) set.push(`"${list}":[${changed}]`);
      if (lost.length > 0) gone.push(`"${list}":[${lost}]`);
    }
    const lists: string[] = [];
    const timers = snapshot.timers.slice(0, MOST_TIMERS).map(({ left: _left, ...timer }) => timer);
    const whole = { ...snapshot, timers, warnings };
    for (const list of [...WHOLE_LISTS, "warnings"] as const) {
      const text = toText(whole[list]);
      if (this.#lists.get(list) === text) continue;
      this.#lists.set(list, text);
      lists.push(`"${list}":${text}`);
    }
    this.#head = JSON.stringify({ ...headOf(snapshot), ...extra });
    return `{"whole":false,"head":${this.#head},"set":{${set}},"gone":{${gone}},"lists":{${lists}}}`;
  }

  #compare(
    list: string,
    members: readonly { id: number; age?: number | null }[],
    time: number,
  ): { changed: string[]; lost: number[] } {
    const before = this.#known.get(list) as Map<number, string>;
    const now: Map<number, string> = new Map();
    const changed: string[] = [];
    for (const { age, ...member } of members) {
      // An age is new each time, and the time of the beginning is not.
      const since = age === undefined || age === null ? null : Math.round((time - age) * 1e3) / 1e3;
      const text = toText({ ...member, since });
      now.set(member.id, text);
      if (before.get(member.id) !== text) changed.push(text);
    }
    const lost: number[] = [];
    for (const id of before.keys()) if (!now.has(id)) lost.push(id);
    this.#known.set(list, now);
    return { changed, lost };
  }
}

/** The JSON of `value`; of texts in there that are very long, such as names, the beginning. */
function toText(value: unknown): string {
  const text = JSON.stringify(value);
  if (text.length < LONG_TEXT) return text;
  return JSON.stringify(
    value,
    (_key, part) =>
      typeof part === "string" && part.length > LONGEST_PART
        ? `${part.slice(0, LONGEST_PART)}…`
        : part,
  );
}

function headOf(snapshot: LoopSnapshot): object {
  const { time, debug, measuredSince, timerCount, ready } = snapshot;
  const { iterations, callbacks, busy, lag, endedCount } = snapshot;
  return {
    time,
    debug,
    measuredSince,
    timerCount,
    ready,
    iterations,
    callbacks,
    busy,
    lag,
    endedCount,
  };
}
