import { describeThrown } from "../../loop/values/describe.ts";
import type { World } from "../_world.ts";
import { ViolationError } from "./violation_error.ts";

/** What must be true at any time in one run. */
export class Claims {
  readonly #world: World;
  readonly #claims: Map<string, () => unknown> = new Map();

  constructor(world: World) {
    this.#world = world;
  }

  /** Adds a claim. */
  add(claim: string, holds: () => unknown): void {
    this.#claims.set(claim, holds);
    this.check();
  }

  /** Ends the run if a claim does not hold. */
  check(): void {
    for (const [claim, holds] of this.#claims) {
      const error = this.#try(claim, holds);
      if (error === null) continue;
      this.#claims.clear();
      this.#world.note("main", error.message);
      this.#world.abandon(error);
      return;
    }
  }

  #try(claim: string, holds: () => unknown): ViolationError | null {
    const at = `at ${this.#world.clock.now().toFixed(3)} seconds`;
    try {
      return holds() === true ? null : new ViolationError(claim, `it does not hold ${at}`);
    } catch (cause) {
      return new ViolationError(claim, `${describeThrown(cause)} ${at}`, { cause });
    }
  }
}
