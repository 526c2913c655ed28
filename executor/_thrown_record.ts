/** What was thrown, as it crosses. Structured clone would lose most of an error. */
export type ThrownRecord =
  | { readonly kind: "value"; readonly value: unknown }
  | {
    readonly kind: "error";
    /** Names of its class and of those it extends, the nearest first. */
    readonly classes: readonly string[];
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
    readonly cause: ThrownRecord | null;
    readonly errors: readonly ThrownRecord[] | null;
    /** Its other properties, such as `code`. */
    readonly properties: Readonly<Record<string, unknown>>;
  };

/** Records what was thrown. Its text goes to workers: it uses nothing of this file but types. */
export function recordThrown(thrown: unknown): ThrownRecord {
  const maxDepth = 8;

  function isPlainData(value: unknown): boolean {
    try {
      structuredClone(value);
      return true;
    } catch {
      return false;
    }
  }

  /** Whatever a job throws has some text: getters, proxies and `toString()` may throw as well. */
  function textOf(value: unknown): string {
    try {
      return String(value);
    } catch {
      return `a value without a text (${typeof value})`;
    }
  }

  function record(thrown: unknown, depth: number): ThrownRecord {
    try {
      if (thrown instanceof Error) return recordError(thrown, depth);
    } catch {
      // A getter of the error has thrown, or a trap of a proxy.
    }
    return { kind: "value", value: isPlainData(thrown) ? thrown : textOf(thrown) };
  }

  function recordError(thrown: Error, depth: number): ThrownRecord {
    const classes: string[] = [];
    let prototype = Object.getPrototypeOf(thrown);
    for (; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
      classes.push(textOf(prototype.constructor?.name));
    }
    const properties: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(thrown)) {
      if (isPlainData(value)) properties[key] = value;
    }
    const { cause, stack } = thrown;
    const nested = (thrown as AggregateError).errors;
    const { code } = thrown as { code?: unknown };
    if (code !== undefined && isPlainData(code)) properties["code"] = code;
    delete properties["errors"];
    const isDeep = depth >= maxDepth;
    return {
      kind: "error",
      classes,
      name: textOf(thrown.name),
      message: textOf(thrown.message),
      stack: stack === undefined ? undefined : textOf(stack),
      cause: cause === undefined || isDeep ? null : record(cause, depth + 1),
      errors: Array.isArray(nested) && !isDeep
        ? nested.map((error) => record(error, depth + 1))
        : null,
      properties,
    };
  }

  return record(thrown, 0);
}
