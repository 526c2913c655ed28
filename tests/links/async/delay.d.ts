/** Options for {@linkcode delay}. */
export interface DelayOptions {
  /** Ends the delay early: its promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Whether the delay keeps the process alive. Defaults to `true`. */
  persistent?: boolean;
}

/** Resolves after `ms` milliseconds. */
export function delay(ms: number, options?: DelayOptions): Promise<void>;
