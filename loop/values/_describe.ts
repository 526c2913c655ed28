import { isShownAsText } from "./_shown_as_text.ts";

/** Characters of a value that a longer text cites. */
const MOST_CITED = 100;

/** Names any value in a message, in few words. Never throws, whatever the value is. */
export function describe(value: unknown): string {
  try {
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value === "function") {
      return value.name === "" ? "an anonymous function" : `function "${value.name}"`;
    }
    if (typeof value !== "object" || value === null) return String(value);
    return isShownAsText(value) ? value.toString() : describeObject(value);
  } catch {
    // A proxy, a getter or a method of its class threw.
    return `a value without a text (${typeof value})`;
  }
}

/** Says what was thrown: an error with its message. Never throws, whatever it is. */
export function describeThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return Error.prototype.toString.call(thrown);
  } catch {
    // Neither name nor message can be had.
  }
  return describe(thrown);
}

/** The message of an error; what else was thrown, in few words. Never throws, whatever it is. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.message);
  } catch {
    // It has none.
  }
  return describe(thrown);
}

/** The name of an error, the type of what is thrown else. */
export function nameOfThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.name);
  } catch {
    // It has none.
  }
  return typeof thrown;
}

/**
 * Says in a line what an object of this package is and where it stands, as `repr()` does:
 * `<Queue size=2 maxSize=5>`. Details that are `undefined`, zero or empty are left out.
 */
export function lineOf(
  object: object,
  state: string,
  details: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const words = state === "" ? [kindOf(object)] : [kindOf(object), state];
  for (const [key, value] of Object.entries(details)) {
    if (value !== undefined && value !== 0 && value !== "") words.push(`${key}=${value}`);
  }
  return `<${words.join(" ")}>`;
}

/** The name of the class of `object`. */
export function kindOf(object: object): string {
  const name: unknown = object.constructor?.name;
  return typeof name === "string" && name !== "" ? name : "object";
}

/** The beginning of `text`, where the whole would be too much. */
export function cite(text: string): string {
  return text.length > MOST_CITED ? `${text.slice(0, MOST_CITED)}…` : text;
}

function describeObject(value: object): string {
  const tag: unknown = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  if (tag === "Generator") return "a coroutine";
  const kind = kindOf(value);
  return typeof tag === "string" && tag !== kind ? `${kind} (${tag})` : kind;
}
