/** The codes of the system for a table of descriptors that is full: of the process, or of all. */
const CODES: readonly unknown[] = ["EMFILE", "ENFILE"];

/** Returns `error`, with the action that no descriptor was left for if it says so. */
export function nameTooManyFiles(error: unknown, action: string): unknown {
  const { code } = Object(error) as { code?: unknown };
  if (!CODES.includes(code)) return error;
  return Object.assign(new Error(`Cannot ${action}: too many open files`, { cause: error }), {
    code,
  });
}
