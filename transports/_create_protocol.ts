/** Returns what `factory` creates. */
export function createProtocol<P extends object>(factory: () => P): P {
  const protocol: unknown = factory();
  if (typeof protocol === "object" && protocol !== null) return protocol as P;
  throw new TypeError(
    `Cannot create a protocol: expected an object from the factory, got ${typeof protocol}`,
  );
}

/** Throws unless `factory` is a function. */
export function checkFactory(factory: unknown): void {
  if (typeof factory === "function") return;
  throw new TypeError(
    `Cannot create a protocol: expected a function as the factory, got ${typeof factory}`,
  );
}
