import { assertEquals } from "@std/assert";
import {
  BrokenExecutor,
  CancelledError,
  IncompleteReadError,
  InvalidStateError,
  isConnectionError,
  isOSError,
  TimeoutError,
} from "../../../loop/mod.ts";

function coded(code: unknown): Error {
  return Object.assign(new Error("failed"), { code });
}

/** Each error, and whether `except OSError` and `except ConnectionError` catch its counterpart. */
const TABLE: [error: unknown, isOS: boolean, isConnection: boolean][] = [
  [new Deno.errors.ConnectionRefused(), true, true],
  [new Deno.errors.ConnectionReset(), true, true],
  [new Deno.errors.ConnectionAborted(), true, true],
  [new Deno.errors.BrokenPipe(), true, true],
  [new Deno.errors.NotConnected(), true, false],
  [new Deno.errors.AddrInUse(), true, false],
  [new Deno.errors.AddrNotAvailable(), true, false],
  [new Deno.errors.NetworkUnreachable(), true, false],
  [new Deno.errors.TimedOut(), true, false],
  [new Deno.errors.NotFound(), true, false],
  [new Deno.errors.PermissionDenied(), true, false],
  [new Deno.errors.AlreadyExists(), true, false],
  [new Deno.errors.IsADirectory(), true, false],
  [new Deno.errors.InvalidData(), true, false],
  [new Deno.errors.UnexpectedEof(), true, false],
  [new TimeoutError(), true, false],
  [coded("EMFILE"), true, false],
  [coded("ENOTFOUND"), true, false],
  [coded("EAI_AGAIN"), true, false],
  [coded("ECONNREFUSED"), true, true],
  [coded("EPIPE"), true, true],
  [coded("ESHUTDOWN"), true, true],
  [coded("ERR_INVALID_ARG_TYPE"), false, false],
  [coded("E"), false, false],
  [coded(5), false, false],
  [new Deno.errors.NotCapable(), false, false],
  [new Deno.errors.NotSupported(), false, false],
  [new CancelledError(), false, false],
  [new InvalidStateError(), false, false],
  [new IncompleteReadError(new Uint8Array(), 1), false, false],
  [new BrokenExecutor(), false, false],
  [new AggregateError([new Deno.errors.ConnectionRefused()]), false, false],
  [new DOMException("late", "TimeoutError"), false, false],
  [{ code: "EMFILE" }, false, false],
  [null, false, false],
  ["EMFILE", false, false],
  [Object.create(null), false, false],
];

for (const [error, isOS, isConnection] of TABLE) {
  const { name = String(error && "no error"), code = "" } = (error ?? {}) as Record<
    string,
    unknown
  >;
  Deno.test(`isOSError() and isConnectionError() of ${name} ${code}`, () => {
    assertEquals([isOSError(error), isConnectionError(error)], [isOS, isConnection]);
  });
}

Deno.test("isOSError() and isConnectionError() never throw", () => {
  const hostile = new Proxy(new Error(), {
    get() {
      throw new Error("looked at");
    },
    getPrototypeOf() {
      throw new Error("looked at");
    },
  });
  const { proxy, revoke } = Proxy.revocable(new Error(), {});
  revoke();
  for (const error of [hostile, proxy]) {
    assertEquals([isOSError(error), isConnectionError(error)], [false, false]);
  }
});
