/** What the tests of sockets run on. */
export const host = {
  /**
   * Whether that is the native backend, where the system takes what fits within the call of
   * `write()` and `sendto()`, and what Deno cannot do can be done.
   */
  isNative: false,
};
