/** Names any value in a message, in few words and without running code of its class. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") {
    return value.name === "" ? "an anonymous function" : `function "${value.name}"`;
  }
  if (typeof value !== "object" || value === null) return String(value);
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  const name = value.constructor?.name || "object";
  return typeof tag === "string" && tag !== name ? `${name} (${tag})` : name;
}
