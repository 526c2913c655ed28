import * as inside from "../inside.ts";
import { CancelReason } from "./_cancel_reason.ts";

/** Whose cancellations a {@linkcode CancelSignal} tells of. */
interface Counted {
  cancelling(): number;
  readonly [inside.cancelReason]: CancelReason | undefined;
}

/** The `AbortSignal` of a task or of a scope: aborts when that is asked to cancel. */
export class CancelSignal {
  #controller: AbortController = new AbortController();

  /** The signal now. When all cancellations were taken back it is a fresh one. */
  read(host: Counted): AbortSignal {
    const cancelling = host.cancelling() > 0;
    if (this.#controller.signal.aborted && !cancelling) this.#controller = new AbortController();
    // Whoever reads it late must not find less than who read it early.
    if (cancelling) {
      this.#controller.abort((host[inside.cancelReason] ?? new CancelReason()).toError());
    }
    return this.#controller.signal;
  }

  /** Aborts for `reason`. Returns `false` if it had aborted before. */
  abort(reason: CancelReason): boolean {
    if (this.#controller.signal.aborted) return false;
    this.#controller.abort(reason.toError());
    return true;
  }

  /** What it aborted with, if it did. */
  get reason(): unknown {
    const { signal } = this.#controller;
    return signal.aborted ? signal.reason : null;
  }
}
