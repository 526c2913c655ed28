import { flag, flagsMissing, notCapable } from "../../loop/errors/deno_not_capable.ts";

/** Returns `error` with the flags that `action` on a Unix socket lacks, of the three that it takes. */
export function nameMissingUnixFlags(error: Error, action: string, path: string): Error {
  const missing = neededFor(path).filter(({ descriptor }) => {
    return Deno.permissions.querySync(descriptor).state !== "granted";
  });
  return flagsMissing(action, missing.map((needed) => needed.flag), error);
}

/**
 * Asks for the permissions to use the Unix socket at `path`, as Deno's own API does.
 *
 * @throws {Deno.errors.NotCapable} If one is refused.
 */
export function checkUnixPermission(path: string): void {
  for (const { descriptor, flag } of neededFor(path)) {
    if (Deno.permissions.querySync(descriptor).state === "granted") continue;
    if (Deno.permissions.requestSync(descriptor).state === "granted") continue;
    throw notCapable(`Cannot use the Unix socket "${path}": it requires ${flag}`);
  }
}

function neededFor(path: string): { descriptor: Deno.PermissionDescriptor; flag: string }[] {
  const host = `unix:${path}`;
  const net = { descriptor: { name: "net", host } as const, flag: flag("net", host) };
  // A name that Linux keeps outside of the file system is no path.
  if (path.startsWith("\0")) return [net];
  return [
    { descriptor: { name: "read", path }, flag: flag("read", path) },
    { descriptor: { name: "write", path }, flag: flag("write", path) },
    net,
  ];
}
