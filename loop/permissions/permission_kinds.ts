import { describe } from "../values/_describe.ts";
import type { LoopPermissions } from "./loop_permissions.ts";
import type { WorkerPermissions } from "../platform/worker_platform.ts";

/** What a kind is given as: `true`, `false`, or a list of names or of paths; a switch has no list. */
type Shape = "names" | "paths" | "switch";

/** Every kind of permission of a worker process. */
export const WORKER_KINDS: Readonly<Record<keyof WorkerPermissions, Shape>> = {
  env: "names",
  ffi: "paths",
  import: "names",
  net: "names",
  read: "paths",
  run: "names",
  sys: "names",
  write: "paths",
};

/** Every kind of permission of a loop. */
export const LOOP_KINDS: Readonly<Record<keyof LoopPermissions, Shape>> = {
  ...WORKER_KINDS,
  unix: "paths",
  signals: "names",
  workers: "switch",
  executors: "switch",
};

/**
 * Returns a copy of `permissions` that nobody else can change. What they inherit grants nothing.
 *
 * @throws {TypeError} If there is a kind that is none of `kinds`, or a grant that is none of its
 * shape.
 */
export function copyPermissions<P extends object>(
  permissions: P,
  kinds: Readonly<Record<string, Shape>>,
): P {
  if (typeof permissions !== "object" || permissions === null || Array.isArray(permissions)) {
    throw new TypeError(
      `Cannot restrict permissions: expected an object of kinds, got ${describe(permissions)}`,
    );
  }
  const copy: Record<string, unknown> = Object.create(null);
  for (const key of Reflect.ownKeys(permissions)) {
    const shape = Object.hasOwn(kinds, key) ? kinds[key as string] : undefined;
    if (shape === undefined) {
      const known = Object.keys(kinds).join(", ");
      throw new TypeError(
        `Cannot permit ${describe(key)} access: there is no such kind, only ${known}`,
      );
    }
    const grant: unknown = Reflect.get(permissions, key);
    if (grant !== undefined) copy[key as string] = copyGrant(key as string, shape, grant);
  }
  return copy as P;
}

function copyGrant(kind: string, shape: Shape, grant: unknown): boolean | (string | URL)[] {
  if (typeof grant === "boolean") return grant;
  if (shape === "switch" || !Array.isArray(grant)) {
    const expected = shape === "switch" ? "a boolean" : "a boolean or a list";
    throw new TypeError(
      `Cannot permit ${kind} access: expected ${expected}, got ${describe(grant)}`,
    );
  }
  return Array.from(grant, (member: unknown) => copyMember(kind, shape, member));
}

function copyMember(kind: string, shape: Shape, member: unknown): string | URL {
  if (typeof member === "string" && member !== "") return member;
  if (shape === "paths" && member instanceof URL) return new URL(member.href);
  const expected = shape === "paths" ? "a path" : "a name";
  throw new TypeError(
    `Cannot permit ${kind} access to ${describe(member)}: expected ${expected}`,
  );
}
