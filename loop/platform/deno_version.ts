/** The oldest version of Deno on which the package works. */
const MINIMUM = "2.9.0";

/** Whether this isolate was told already. */
let isTold = false;

/** Says once, on a version of Deno that is too old, what to expect there. */
export function checkDenoVersion(): void {
  if (isTold) return;
  isTold = true;
  const trouble = describeOldVersion(Deno.version.deno);
  if (trouble !== null) console.warn(trouble);
}

/** Says what to expect on `version` of Deno; `null` where all is well. */
export function describeOldVersion(version: string): string | null {
  if (!isOlder(version, MINIMUM)) return null;
  const hang = version.startsWith("2.8.3") ? "connections hang when they close, and " : "";
  return `Deno ${version} is too old for @gyre/asyncio: ${hang}TLS fails or hangs. ` +
    `Use ${MINIMUM} or newer`;
}

/** Whether version `a` comes before `b`; what follows a hyphen is left out. */
function isOlder(a: string, b: string): boolean {
  const numbers = b.split(".").map(Number);
  for (const [index, part] of a.split("-")[0]?.split(".").entries() ?? []) {
    const difference = Number(part) - (numbers[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
