import { filePath } from "../platform/deno_system.ts";
import type { WorkerPermissions } from "../platform/worker_platform.ts";
import { WORKER_KINDS } from "./permission_kinds.ts";

/**
 * Returns the flags of Deno that grant `permissions`, and no more; but Deno allows imports from some
 * hosts unless it is given `--deny-import`.
 */
export function permissionFlags(permissions: WorkerPermissions): string[] {
  const kinds = Object.keys(WORKER_KINDS) as (keyof WorkerPermissions)[];
  return kinds.flatMap((name) => {
    const grant = permissions[name];
    if (grant === true) return [`--allow-${name}`];
    if (!Array.isArray(grant) || grant.length === 0) return [];
    return [`--allow-${name}=${grant.map(flagValue).join(",")}`];
  });
}

function flagValue(value: string | URL): string {
  const isFile = value instanceof URL && value.protocol === "file:";
  const text = isFile ? filePath(value) : String(value);
  return text.replaceAll(",", ",,");
}
