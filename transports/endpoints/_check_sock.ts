import { describe } from "../../loop/values/describe.ts";
/** Throws unless `sock` is a connection, of a kind that `kinds` names if given. */
export function checkConnection(
  sock: unknown,
  action: string,
  transport?: "unix",
): asserts sock is Deno.Conn {
  const members = ["read", "write", "close", "closeWrite"];
  if (!has(sock, members, ["localAddr", "remoteAddr"])) throw wrong(sock, action, "Deno.Conn");
  checkTransport((sock as Deno.Conn).localAddr, action, transport);
}

/** Throws unless `sock` is a listener, of a kind that `kinds` names if given. */
export function checkListener(sock: unknown, action: string, transport?: "unix"): void {
  if (!has(sock, ["accept", "close"], ["addr"])) throw wrong(sock, action, "Deno.Listener");
  checkTransport((sock as Deno.Listener).addr, action, transport);
}

function checkTransport(address: Deno.Addr, action: string, transport?: "unix"): void {
  if (transport === undefined || address.transport === transport) return;
  throw new TypeError(
    `Cannot ${action}: expected a Unix socket as the sock, got one of "${address.transport}"`,
  );
}

/** Whether `value` is an object with these methods and objects. */
function has(value: unknown, methods: readonly string[], objects: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Readonly<Record<string, unknown>>;
  try {
    return methods.every((name) => typeof record[name] === "function") &&
      objects.every((name) => typeof record[name] === "object" && record[name] !== null);
  } catch {
    return false;
  }
}

function wrong(sock: unknown, action: string, expected: string): TypeError {
  return new TypeError(
    `Cannot ${action}: expected a ${expected} as the sock, got ${describe(sock)}`,
  );
}
