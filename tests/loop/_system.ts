// deno-lint-ignore gyre/file-path -- What is put back.
const BUILD = Deno.build;

/** Runs `work` as it were on `os`, as far as the package asks Deno for the system. One at a time. */
export async function onSystem<T>(
  os: typeof Deno.build.os,
  work: () => T | Promise<T>,
): Promise<T> {
  Object.defineProperty(Deno, "build", { value: { ...BUILD, os } });
  try {
    return await work();
  } finally {
    Object.defineProperty(Deno, "build", { value: BUILD });
  }
}
