import * as inside from "../inside.ts";
import type { EventLoop } from "../event_loop.ts";
import { inWords } from "../values/in_words.ts";
import { Future } from "./future.ts";

/** A bare future that says what who waits for it waits for: `waitClosed of server on [::]:80`. */
export class NamedFuture<T> extends Future<T> {
  readonly #action: string;
  readonly #subject: object;

  constructor(loop: EventLoop, action: string, subject: object) {
    super({ loop });
    this.#action = action;
    this.#subject = subject;
  }

  override [inside.inWords](): string {
    return `${this.#action} ${inWords(this.#subject)}`;
  }
}
