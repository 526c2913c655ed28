/** Returns what `factory` creates. */
export function createProtocol<P extends object>(factory: () => P): P {
  const protocol: unknown = factory();
  if (typeof protocol === "object" && protocol !== null) return protocol as P;
  throw new TypeError(
    `Cannot create a protocol: expected an object from the factory, got ${typeof protocol}`,
  );
}

/** Returns `protocol`, which is to be called from now on. */
export function checkProtocol<P extends object>(protocol: P): P {
  const given: unknown = protocol;
  if (typeof given === "object" && given !== null && !(given instanceof Promise)) return protocol;
  const kind = given === null ? "null" : given instanceof Promise ? "a promise" : typeof given;
  throw new TypeError(`Cannot set a protocol: expected an object, got ${kind}`);
}

/** Throws unless `factory` is a function. */
export function checkFactory(factory: unknown): void {
  if (typeof factory === "function") return;
  throw new TypeError(
    `Cannot create a protocol: expected a function as the factory, got ${typeof factory}`,
  );
}
