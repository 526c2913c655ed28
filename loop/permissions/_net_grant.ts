import { canonicalHost } from "../values/host_name.ts";

/** One member of a list of hosts. */
export interface NetEntry {
  /** The host in its canonical form. */
  readonly host: string;
  /** The only port; `null` for all of them. */
  readonly port: number | null;
}

/** Which hosts may be reached. */
export class NetGrant {
  readonly #all: boolean;
  readonly #entries: readonly NetEntry[];

  /** @throws {TypeError} If a member of the list is no host. */
  constructor(grant: boolean | readonly string[]) {
    this.#all = grant === true;
    this.#entries = typeof grant === "boolean" ? [] : grant.map(entryOrThrow);
  }

  /** Whether everything is allowed. */
  get isFull(): boolean {
    return this.#all;
  }

  /** Whether `port` of `host`, which is canonical, is allowed; with `"any"`, whether some port is. */
  allows(host: string, port: number | "any"): boolean {
    return this.#all || this.#entries.some((entry) => {
      return entry.host === host && (entry.port === null || port === "any" || entry.port === port);
    });
  }

  /** Whether all that `entry` stands for is allowed. */
  covers({ host, port }: NetEntry): boolean {
    return this.#all || this.#entries.some((entry) => {
      return entry.host === host && (entry.port === null || entry.port === port);
    });
  }
}

/** Reads `hostname`, `hostname:port`, `[IPv6]`, `[IPv6]:port` or IPv6; `null` if it is none. */
export function parseNetEntry(text: string): NetEntry | null {
  const whole = canonicalHost(text);
  if (whole !== null) return { host: whole.text, port: null };
  const [, bracketed, plain, digits] = /^(?:\[(.*:.*)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = canonicalHost(bracketed ?? plain ?? "");
  if (host === null || Number(digits) > 65_535) return null;
  return { host: host.text, port: digits === undefined ? null : Number(digits) };
}

function entryOrThrow(text: string): NetEntry {
  const entry = parseNetEntry(text);
  if (entry !== null) return entry;
  throw new TypeError(
    `Cannot permit net access to "${text}": expected a hostname or an address, maybe with a port`,
  );
}
