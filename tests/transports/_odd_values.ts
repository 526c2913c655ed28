/** What a program throws or returns by mistake, each made anew: any of it may reach a report. */
export const ODD_VALUES: Readonly<Record<string, () => unknown>> = {
  "an object without a prototype": () => Object.create(null),
  "an object whose texts throw": () => ({
    toString: () => fail("toString"),
    get [Symbol.toStringTag]() {
      return fail("toStringTag");
    },
    [Symbol.toPrimitive]: () => fail("toPrimitive"),
  }),
  "a symbol": () => Symbol("odd"),
  "a promise": () => Promise.resolve(7),
  "a revoked proxy": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  "a proxy that throws": () =>
    new Proxy({}, {
      get: () => fail("get"),
      has: () => fail("has"),
      getPrototypeOf: () => fail("getPrototypeOf"),
      ownKeys: () => fail("ownKeys"),
    }),
  "a function": () => () => {},
  "undefined": () => undefined,
  "null": () => null,
  "a number": () => 7,
  "a text": () => "odd",
  "an error": () => new Error("odd"),
};

function fail(what: string): never {
  throw new Error(`${what} of an odd value was used`);
}
