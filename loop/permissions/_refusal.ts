import { notCapable } from "../errors/deno_not_capable.ts";
import type { LoopPermissions } from "./loop_permissions.ts";

/** Returns the error for `action`, which the permissions of the loop would allow with `member`. */
export function refusal(
  action: string,
  kind: keyof LoopPermissions,
  member: string | true,
  reason = "the loop has no permission for it",
): Error {
  const value = member === true ? "true" : `["${member}"]`;
  return notCapable(`Cannot ${action}: ${reason}, it requires permissions: { ${kind}: ${value} }`);
}
