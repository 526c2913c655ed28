/** Throws if `condition` is false. For what only a bug of this package can break. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${message}`);
}

/** Every legal move of a state machine: the states that may follow each. */
export type Moves<S extends string> = Readonly<Record<S, readonly S[]>>;

/** Throws if `moves` has none of `who` from the state `from` to the state `to`. */
export function assertMove<S extends string>(who: string, moves: Moves<S>, from: S, to: S): void {
  if (!moves[from].includes(to)) assert(false, `${who} moved: ${from} to ${to}`);
}
