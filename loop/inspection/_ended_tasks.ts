import { nameOfThrown } from "../values/_describe.ts";
import { nameInFull, nameInShort, type Task } from "../tasks/task.ts";
import type { Identities } from "./identities.ts";
import type { EndedTask } from "./meter.ts";
import { findRecord, type TaskRecord } from "./task_record.ts";

/** How many are kept. */
const MOST_KEPT = 100;

/** A place for what is told of a task that has ended; it is used again and again. */
class Place {
  name: string | number = 0;
  state: EndedTask["state"] = "finished";
  error: string | null = null;
  at = 0;
  record: TaskRecord | null = null;
  /** The number of one without a record, once somebody has asked. */
  id = 0;
}

/** The latest tasks that have ended. To add one allocates nothing: each task that ends pays it. */
export class EndedTasks {
  /** How many have ended. */
  count = 0;
  readonly #places: Place[] = Array.from({ length: MOST_KEPT }, () => new Place());
  #next = 0;

  /** `task` has ended at `time` like that, with what it gives. */
  add(task: Task<unknown>, state: EndedTask["state"], value: unknown, time: number): void {
    const place = this.#places[this.#next] as Place;
    this.#next = this.#next + 1 === MOST_KEPT ? 0 : this.#next + 1;
    this.count += 1;
    place.name = nameInShort(task);
    place.state = state;
    place.error = state === "failed" ? nameOfThrown(value) : null;
    place.at = time;
    place.record = findRecord(task);
    place.id = 0;
  }

  /** Lists them, the oldest first. */
  list(ids: Identities): EndedTask[] {
    const { count } = this;
    const places = count < MOST_KEPT
      ? this.#places.slice(0, count)
      : [...this.#places.slice(this.#next), ...this.#places.slice(0, this.#next)];
    return places.map((place) => {
      const { name, state, error, at, record } = place;
      if (place.id === 0) place.id = record?.id ?? ids.next();
      return {
        id: place.id,
        name: nameInFull(name),
        state,
        error,
        at,
        // Without a record it has begun and ended between two readings of the clock.
        age: record === null ? 0 : record.ageAt(at),
        steps: record?.steps ?? 0,
        busy: record?.busy ?? 0,
        longest: record?.longest ?? 0,
      };
    });
  }
}
