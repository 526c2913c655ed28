// StreamReader under random chunks and cancellations, against a plain oracle: a string.
import { assertEquals } from "@std/assert";
import { type Coroutine, type Future, sleep, StreamReader } from "../../mod.ts";
import { SeededRandom } from "../conformance/mod.ts";
import { runVirtual } from "../loop/mod.ts";
import { PauseLog } from "./_fake_transport.ts";
import { text, utf8 } from "./_feeding.ts";
import {
  type Model,
  outcomeOf,
  type PlannedRead,
  readExactly,
  readLine,
  readSome,
  readUntil,
} from "./_oracle.ts";
import { stateOf } from "../../transports/streams/stream_reader.ts";

const SEEDS = 500;
const SEPARATORS = ["\n", "\r\n", "X", "aX", "Xab", "abc"];
/** Longer than the windows in which several separators are searched. */
const LONG = 3000;

for (const [what, limit, longest] of [["short", 12, 120], ["long", 2 * LONG, LONG]] as const) {
  Deno.test(`StreamReader reads ${what} streams as a string is read, in whatever chunks`, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = new SeededRandom(seed);
      const run = new Run(
        random,
        limit,
        what === "short" ? "abcX\r\n" : "ab".repeat(200) + "cX\r\n",
      );
      try {
        await runVirtual(() => run.steps(random.between(0, longest)));
      } catch (error) {
        throw new Error(`Seed ${seed} fails: ${run.log.slice(-5).join(", ")}`, { cause: error });
      }
    }
  });
}

/** A stream that is read by random reads while it comes in random chunks. */
class Run {
  /** The reads that were done. */
  readonly log: string[] = [];
  readonly #random: SeededRandom;
  readonly #alphabet: readonly string[];
  readonly #model: Model;
  readonly #pauses = new PauseLog();
  #toCome = "";

  constructor(random: SeededRandom, limit: number, alphabet: string) {
    this.#random = random;
    this.#alphabet = [...alphabet];
    this.#model = { unread: "", ended: false, limit };
  }

  *steps(length: number): Coroutine<void> {
    const reader = new StreamReader({ limit: this.#model.limit });
    reader.setTransport(this.#pauses);
    const letters = Array.from({ length }, () => this.#random.pick(this.#alphabet));
    this.#toCome = letters.join("");
    while (!reader.atEof()) {
      if (this.#random.chance(0.5)) this.#feed(reader);
      if (this.#random.chance(0.3)) yield* this.#readInto(reader);
      else yield* this.#read(reader, this.#plan());
      this.#checkPause();
    }
    assertEquals(this.#model, { unread: "", ended: true, limit: this.#model.limit });
  }

  *#read(reader: StreamReader, plan: PlannedRead): Coroutine<void> {
    this.log.push(plan.name);
    const future = plan.start(reader);
    yield* this.#finish(reader, future, () => plan.expect(this.#model) === null);
    const outcome = outcomeOf(future);
    if (outcome === "cancelled") return;
    const expected = plan.expect(this.#model);
    assertEquals(outcome, expected?.outcome);
    this.#take(expected?.taken ?? 0);
  }

  /** What it takes depends on the chunk that came first: it must be what comes next. */
  *#readInto(reader: StreamReader): Coroutine<void> {
    const memory = new Uint8Array(this.#random.between(1, 20));
    this.log.push(`readInto(${memory.length})`);
    const future = reader.readInto(memory);
    const isWaiting = () => this.#model.unread === "" && !this.#model.ended;
    yield* this.#finish(reader, future, isWaiting);
    if (future.cancelled()) return;
    const count = future.result();
    assertEquals(count > 0, this.#model.unread !== "");
    assertEquals(text(memory.subarray(0, count)), this.#model.unread.slice(0, count));
    this.#take(count);
  }

  /** Lets bytes come until the read is done or, by chance, cancelled. */
  *#finish(
    reader: StreamReader,
    future: Future<unknown>,
    isWaiting: () => boolean,
  ): Coroutine<void> {
    const cancelChance = this.#random.pick([0, 0, 0.1, 0.4]);
    assertEquals(future.done(), !isWaiting());
    while (!future.done()) {
      this.#feed(reader);
      if (this.#random.chance(cancelChance)) {
        future.cancel();
        if (this.#random.chance(0.5)) this.#feed(reader);
      } else if (this.#random.chance(0.4)) continue;
      const isOver = future.done() || !isWaiting();
      yield* sleep(0);
      if (isOver) assertEquals(future.done(), true);
    }
  }

  #feed(reader: StreamReader): void {
    if (this.#model.ended) return;
    if (this.#toCome === "") {
      this.#model.ended = true;
      return reader.feedEof();
    }
    const size = this.#random.between(1, this.#random.pick([1, 4, 40, LONG]));
    const chunk = this.#toCome.slice(0, size);
    this.#toCome = this.#toCome.slice(size);
    this.#model.unread += chunk;
    if (this.#random.chance(0.5)) reader.feedData(utf8(chunk));
    else stateOf(reader).feedCopy(utf8(chunk + "what the memory held before"), chunk.length);
  }

  #take(count: number): void {
    this.#model.unread = this.#model.unread.slice(count);
  }

  #checkPause(): void {
    const { unread, limit, ended } = this.#model;
    const isPaused = this.#pauses.entries.at(-1) === "pause";
    if (unread.length <= limit) assertEquals(isPaused, false);
    if (unread.length > 2 * limit && !ended) assertEquals(isPaused, true);
  }

  #plan(): PlannedRead {
    const random = this.#random;
    const size = random.between(0, random.pick([3, 30, 300]));
    switch (random.weighted({ some: 3, all: 0.2, exactly: 2, line: 2, until: 4 })) {
      case "some":
        return readSome(size);
      case "all":
        return readSome(-1);
      case "exactly":
        return readExactly(size);
      case "line":
        return readLine();
      case "until": {
        const count = random.between(1, 3);
        return readUntil(Array.from({ length: count }, () => random.pick(SEPARATORS)));
      }
    }
  }
}
