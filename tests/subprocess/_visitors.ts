/** How a visit ended that was not answered. */
export interface BrokenVisit {
  /** Before there was a connection; before the worker had greeted; after that. */
  readonly stage: "connecting" | "waiting" | "served";
  /** The port of the visitor, once there was a connection. */
  readonly port: number;
}

/** What became of visits. */
export interface Visits {
  answered: number;
  readonly broken: BrokenVisit[];
  /** The workers that have greeted. */
  readonly workers: Set<string>;
}

/** Visitors of a greeting app, a few at a time, until they are stopped. */
export class Visitors {
  readonly visits: Visits = { answered: 0, broken: [], workers: new Set() };
  readonly #port: number;
  readonly #all: Promise<unknown>;
  #isStopped = false;

  constructor(port: number, atOnce: number) {
    this.#port = port;
    this.#all = Promise.all(Array.from({ length: atOnce }, () => this.#visitAgain()));
  }

  /** Waits for the last ones. */
  async stop(): Promise<Visits> {
    this.#isStopped = true;
    await this.#all;
    return this.visits;
  }

  async #visitAgain(): Promise<void> {
    while (!this.#isStopped) await this.#visit();
  }

  async #visit(): Promise<void> {
    const { visits } = this;
    let stage: BrokenVisit["stage"] = "connecting";
    let port = 0;
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
      ({ port } = connection.localAddr);
      stage = "waiting";
      const bytes = new Uint8Array(64);
      const greeting = bytes.subarray(0, await connection.read(bytes) ?? 0);
      if (greeting.length > 0) {
        stage = "served";
        visits.workers.add(new TextDecoder().decode(greeting));
        await connection.write(greeting);
        if (await connection.read(bytes) !== null) return void (visits.answered += 1);
      }
    } catch {
      // Told by its stage.
    }
    visits.broken.push({ stage, port });
  }
}
