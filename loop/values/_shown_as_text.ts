/** An object whose `toString()` says what it is and where it stands. */
export interface ShownAsText {
  toString(): string;
}

/** What the inspectors of Deno and of Node, and `JSON.stringify`, ask an object for its text by. */
const KEYS: readonly PropertyKey[] = [
  Symbol.for("Deno.customInspect"),
  Symbol.for("nodejs.util.inspect.custom"),
  "toJSON",
];

/**
 * Makes `console.log`, inspectors and `JSON.stringify` show the objects of `shown`, and of classes
 * that extend it, by their `toString()`: what they are made of says nothing to who reads a log.
 */
export function showAsText(shown: { readonly prototype: ShownAsText }): void {
  for (const key of KEYS) {
    Object.defineProperty(shown.prototype, key, {
      value: asText,
      writable: true,
      configurable: true,
    });
  }
}

/** Whether `value` is of a class that {@linkcode showAsText} was told. */
export function isShownAsText(value: object): value is ShownAsText {
  return (value as { toJSON?: unknown }).toJSON === asText;
}

function asText(this: ShownAsText): string {
  return this.toString();
}
