import { flag, flagsMissing } from "../../loop/errors/deno_not_capable.ts";

/** Returns `error` with the flags that `action` on a Unix socket lacks, of the three that it takes. */
export function nameMissingUnixFlags(error: Error, action: string, path: string): Error {
  const needed = [
    [{ name: "read", path }, flag("read", path)],
    [{ name: "write", path }, flag("write", path)],
    [{ name: "net", host: `unix:${path}` }, flag("net", `unix:${path}`)],
  ] as const;
  const missing = needed.filter(([descriptor]) => {
    return Deno.permissions.querySync(descriptor).state !== "granted";
  });
  return flagsMissing(action, missing.map(([, text]) => text), error);
}
