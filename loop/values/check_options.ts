/**
 * Checks of options: names that nobody knows, and values that cannot be meant.
 *
 * *Theory of operation.* Every function with options has an {@linkcode OptionTable}, which names
 * them all and says what each must be; the files `_options.ts` hold these. The type of a table
 * follows the interface of the options: one that has an option more or less does not compile.
 * `undefined` stands for an option that is left out. What depends on several options, or on the
 * world, is checked where it is used.
 *
 * @module
 */
import * as inside from "../inside.ts";
import { describe } from "./_describe.ts";

/** What the value of an option must be. */
export interface OptionKind {
  /** In words, as in "must be a whole number". */
  readonly expected: string;
  /** What `typeof` says of it. A value of this type that does not fit is out of range. */
  readonly type: string;
  /** Whether `value` is such a one. */
  fits(value: unknown): boolean;
  /** The options in it, where it holds some. */
  readonly inside?: OptionTable<object>;
  /** Those of {@linkcode inside} that must be there. */
  readonly requires?: readonly string[];
}

/** What each option of `T` must be. */
export type OptionTable<T> = { readonly [K in keyof T]-?: OptionKind };

/** The options of a call that has none. */
export const NO_OPTIONS: Readonly<Record<never, never>> = Object.freeze({});

/** Names that asyncio, Node and others have for options, without case and underscores. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  abortsignal: ["signal"],
  ca: ["caCerts"],
  cafile: ["caCerts"],
  cancelpending: ["cancelFutures"],
  certfile: ["cert"],
  certchain: ["cert"],
  detached: ["startNewSession"],
  eagerstart: ["eager"],
  environment: ["env"],
  file: ["print"],
  gid: ["group"],
  handshaketimeout: ["tlsHandshakeTimeout"],
  highwatermark: ["limit", "high"],
  host: ["hostname"],
  keyfile: ["key"],
  localaddr: ["localAddress"],
  lowwatermark: ["low"],
  privatekey: ["key"],
  remoteaddr: ["remoteAddress"],
  requestcert: ["requestClientCert"],
  servername: ["serverHostname"],
  shutdowntimeout: ["tlsShutdownTimeout"],
  socket: ["sock"],
  ssl: ["tls"],
  sslcontext: ["tls"],
  sslhandshaketimeout: ["tlsHandshakeTimeout", "handshakeTimeout"],
  sslshutdowntimeout: ["tlsShutdownTimeout", "shutdownTimeout"],
  threadnameprefix: ["name"],
  tlshandshaketimeout: ["handshakeTimeout"],
  tlsshutdowntimeout: ["shutdownTimeout"],
  uid: ["user"],
};

/** What Python can tell a process, and Deno cannot, without case and underscores. */
const OF_PROCESSES: ReadonlySet<string> = new Set([
  "closefds",
  "creationflags",
  "executable",
  "extragroups",
  "passfds",
  "preexecfn",
  "processgroup",
  "startupinfo",
  "umask",
]);

/**
 * Throws if `options` are not those of `table`.
 *
 * @param action What they are for, as in "open a connection".
 * @throws {TypeError} If they are no object, or have an unknown name or a value of the wrong kind.
 * @throws {RangeError} If a value is out of range.
 */
export function checkOptions<T extends object>(
  action: string,
  options: T,
  table: OptionTable<T>,
): void {
  if (options === NO_OPTIONS) return;
  if (typeof options !== "object" || options === null) throw notOptions(action, options, table);
  const isEmpty = checkEach(action, options, table as OptionTable<object>, "");
  if (isEmpty && !isObjectOfOptions(options)) throw notOptions(action, options, table);
}

/** Whether `name` is all that is in `options`: a quick answer for what may be anything. */
export function isAlone(name: string, options: object): boolean {
  let isThere = false;
  // deno-lint-ignore guard-for-in -- What options inherit is read as well.
  for (const each in options) {
    if (each !== name) return false;
    isThere = true;
  }
  return isThere;
}

/**
 * Throws if an argument is not of its kind.
 *
 * @throws {TypeError} If it is of another kind.
 * @throws {RangeError} If it is out of range.
 */
export function checkArgument(
  action: string,
  name: string,
  value: unknown,
  kind: OptionKind,
): void {
  if (kind.fits(value)) return;
  const isOption = typeof value === "object" && value !== null && name in value;
  const remedy = isOption ? "; it is no option, pass the value itself" : "";
  throw notOfKind(`Cannot ${action}: ${name}`, value, kind, remedy);
}

/** Checks all that is in `options`; returns whether that is nothing. */
function checkEach(
  action: string,
  options: object,
  table: OptionTable<object>,
  within: string,
): boolean {
  let isEmpty = true;
  // deno-lint-ignore guard-for-in -- What options inherit is read as well.
  for (const name in options) {
    isEmpty = false;
    // Of what any object inherits, such as "constructor", nothing has this method.
    const kind = (table as Record<string, OptionKind | undefined>)[name];
    if (kind?.fits === undefined) {
      if (!isObjectOfOptions(options)) throw notOptions(action, options, table);
      throw unknownOption(action, name, table, within);
    }
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined) continue;
    if (!kind.fits(value)) {
      throw notOfKind(`Cannot ${action}: option "${name}"${within}`, value, kind, remedyFor(value));
    }
    if (kind.inside === undefined || typeof value !== "object" || value === null) continue;
    checkEach(action, value, kind.inside, ` of ${name}`);
    checkComplete(action, name, value, kind);
  }
  return isEmpty;
}

function checkComplete(action: string, name: string, value: object, kind: OptionKind): void {
  for (const required of kind.requires ?? []) {
    if ((value as Record<string, unknown>)[required] !== undefined) continue;
    throw new TypeError(`Cannot ${action}: option "${name}" lacks its "${required}"`);
  }
}

/** Lists and promises are objects too, but nobody means them as options. */
function isObjectOfOptions(value: unknown): boolean {
  return typeof value === "object" && value !== null && !(Symbol.iterator in value) &&
    !("then" in value);
}

function notOptions(action: string, options: unknown, table: OptionTable<object>): TypeError {
  const meant = optionFor(options, table);
  const example = Array.isArray(options) ? "[…]" : describeGiven(options);
  const remedy = meant === undefined ? namesIn(table) : `as in { ${meant}: ${example} }`;
  return new TypeError(
    `Cannot ${action}: expected an object with options, got ${describeGiven(options)}; ${remedy}`,
  );
}

/** The option that somebody means who gives its value alone: the first of that kind. */
function optionFor(value: unknown, table: OptionTable<object>): string | undefined {
  if (typeof value === "object" && !Array.isArray(value)) return undefined;
  const kinds = Object.entries(table as Record<string, OptionKind>);
  // Many options are texts; only the first of all is sure, and may be of any kind.
  if (typeof value === "string") return kinds.slice(0, 1).find(([, kind]) => kind.fits(value))?.[0];
  return kinds.find(([, kind]) => kind !== ANYTHING && kind.fits(value))?.[0];
}

function namesIn(table: OptionTable<object>): string {
  const known = Object.keys(table);
  return known.length === 1 ? `the only one is "${known[0]}"` : `there are ${known.join(", ")}`;
}

function unknownOption(
  action: string,
  name: string,
  table: OptionTable<object>,
  within: string,
): TypeError {
  const meant = meantBy(name, Object.keys(table));
  const remedy = meant === undefined
    ? reasonAgainst(name, table) ?? namesIn(table)
    : `the name is "${meant}"`;
  return new TypeError(
    `Cannot ${action}: unknown option ${JSON.stringify(name)}${within}, ${remedy}`,
  );
}

/** Why there can be no such option of a process; `undefined` for others. */
function reasonAgainst(name: string, table: OptionTable<object>): string | undefined {
  return "clearEnv" in table && OF_PROCESSES.has(plainly(name))
    ? "as Deno.Command has none"
    : undefined;
}

/** Which of the names in `known` somebody means who writes `name`. */
function meantBy(name: string, known: readonly string[]): string | undefined {
  const plain = plainly(name);
  const others = Object.hasOwn(OTHER_NAMES, plain) ? OTHER_NAMES[plain] ?? [] : [];
  return others.find((option) => known.includes(option)) ??
    known.find((option) => plainly(option) === plain);
}

function plainly(name: string): string {
  return name.replaceAll(/[_-]/g, "").toLowerCase();
}

function notOfKind(
  subject: string,
  value: unknown,
  { expected, type }: OptionKind,
  remedy = "",
): TypeError | RangeError {
  const Class = typeof value === type && type !== "object" ? RangeError : TypeError;
  return new Class(`${subject} must be ${expected}, got ${describeGiven(value)}${remedy}`);
}

/** What `None` of Python is. */
function remedyFor(value: unknown): string {
  return value === null ? "; leave it out for the default" : "";
}

function describeGiven(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return describe(value);
}

/** Whatever it is. */
export const ANYTHING: OptionKind = { expected: "anything", type: "any", fits: () => true };

/** `true` or `false`. */
export const FLAG: OptionKind = kindOfType("boolean", "true or false");

/** A string. */
export const TEXT: OptionKind = kindOfType("string", "a string");

/** A path or an address of a file. */
export const TEXT_OR_URL: OptionKind = {
  expected: "a string or a URL",
  type: "neither",
  fits: (value) => typeof value === "string" || value instanceof URL,
};

/** `null`. */
export const NULL: OptionKind = {
  expected: "null",
  type: "object",
  fits: (value) => value === null,
};

/** A number, whose range is checked where it is used. */
export const NUMBER: OptionKind = kindOfType("number", "a number");

/** A function. */
export const FUNCTION: OptionKind = kindOfType("function", "a function");

/** An object. */
export const OBJECT: OptionKind = {
  expected: "an object",
  type: "object",
  fits: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

/** A list of anything. */
export const LIST: OptionKind = {
  expected: "a list",
  type: "object",
  fits: (value) => Array.isArray(value),
};

/** What can be iterated over, such as a list, a string or a generator. */
export const ITERABLE: OptionKind = {
  expected: "what can be iterated over",
  type: "object",
  fits: (value) =>
    typeof (value as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] ===
      "function",
};

/** A list of strings. */
export const TEXTS: OptionKind = {
  expected: "a list of strings",
  type: "object",
  fits: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};

/** A time limit that may have passed. `Infinity` is none. */
export const DELAY: OptionKind = {
  expected: "a number of seconds",
  type: "number",
  fits: (value) => typeof value === "number" && !Number.isNaN(value),
};

/** A duration. `Infinity` never ends. */
export const SECONDS: OptionKind = {
  expected: "a number of seconds from 0",
  type: "number",
  fits: (value) => typeof value === "number" && value >= 0,
};

/** An `AbortSignal`; as for `fetch()`, what only looks like one is none. */
export const SIGNAL: OptionKind = {
  expected: "an AbortSignal",
  type: "object",
  fits: (value) => value instanceof AbortSignal,
};

/** A `Context`; what only looks like one is refused by `checkContext()`. */
export const CONTEXT: OptionKind = { ...OBJECT, expected: "a Context" };

/** An event loop. */
export const LOOP: OptionKind = {
  expected: "an event loop",
  type: "object",
  fits: (value) => typeof value === "object" && value !== null && inside.enqueue in value,
};

/** A whole number, or `Infinity`. */
export const WHOLE: OptionKind = {
  expected: "a whole number",
  type: "number",
  fits: (value) => Number.isInteger(value) || value === Infinity || value === -Infinity,
};

/** A whole number from `least`; `Infinity` is no limit. */
export function countFrom(least: number): OptionKind {
  return {
    expected: `a whole number from ${least}`,
    type: "number",
    fits: (value) => (Number.isInteger(value) || value === Infinity) && (value as number) >= least,
  };
}

/** One of a few strings. */
export function oneOf(...values: readonly string[]): OptionKind {
  return {
    expected: values.map((value) => `"${value}"`).join(" or "),
    type: "string",
    fits: (value) => (values as readonly unknown[]).includes(value),
  };
}

/** A list of a few strings. */
export function listOf(...values: readonly string[]): OptionKind {
  return {
    expected: `a list of ${values.map((value) => `"${value}"`).join(", ")}`,
    type: "object",
    fits: (value) => Array.isArray(value) && value.every((item) => values.includes(item)),
  };
}

/** An object with options of its own. */
export function optionsIn<T>(inside: OptionTable<T>, or: OptionKind | null = null): OptionKind {
  return {
    expected: or === null ? "an object with options" : `${or.expected} or an object with options`,
    type: "object",
    fits: (value) => isObjectOfOptions(value) || or?.fits(value) === true,
    inside: inside as OptionTable<object>,
  };
}

/** The first or the second of two kinds. */
export function either(first: OptionKind, second: OptionKind): OptionKind {
  return {
    expected: `${first.expected} or ${second.expected}`,
    type: "neither",
    fits: (value) => first.fits(value) || second.fits(value),
  };
}

function kindOfType(type: string, expected: string): OptionKind {
  const fits = (value: unknown) => {
    const typeOfValue: string = typeof value;
    return typeOfValue === type;
  };
  return { expected, type, fits };
}
