/**
 * Has `using` and `await using` refuse what inherits from `prototype`: in `using _ = lock.acquire()` the
 * `await` is missing, and the block would run without the lock.
 */
export function refuseToBeHeld(prototype: object): void {
  for (const key of [Symbol.dispose, Symbol.asyncDispose]) {
    // Not declared: types say that a future is no resource.
    Object.defineProperty(prototype, key, { configurable: true, get: throwNotHeld });
  }
}

function throwNotHeld(): never {
  throw new TypeError(
    "Cannot dispose of a future: await it to have what it gives, " +
      "as in using _ = await lock.acquire()",
  );
}
