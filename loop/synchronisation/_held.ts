/** What a lock or semaphore gives to who acquired it: disposing of it releases, once. */
export class Held implements Disposable {
  #holder: { release(): void } | null;

  /** Creates it for something just acquired. */
  constructor(holder: { release(): void }) {
    this.#holder = holder;
  }

  /** Releases. Does nothing the second time. */
  [Symbol.dispose](): void {
    const holder = this.#holder;
    this.#holder = null;
    holder?.release();
  }
}
