/**
 * Keeps account of what OpenSSL is asked to make and to free. To be called before the library is opened.
 *
 * @module
 */

type Call = (...args: unknown[]) => unknown;

/** What makes an object, or one more use of it, and of which kind. */
const MAKERS: Readonly<Record<string, string>> = {
  BIO_new: "BIO",
  BIO_up_ref: "BIO",
  PEM_read_bio_PrivateKey: "EVP_PKEY",
  PEM_read_bio_X509: "X509",
  SSL_CTX_new: "SSL_CTX",
  SSL_get1_peer_certificate: "X509",
  SSL_new: "SSL",
};

/** What ends one use. */
const FREERS: Readonly<Record<string, string>> = {
  BIO_free: "BIO",
  EVP_PKEY_free: "EVP_PKEY",
  SSL_CTX_free: "SSL_CTX",
  SSL_free: "SSL",
  X509_free: "X509",
};

/** Uses by kind and address. */
const uses: Map<string, number> = new Map();

/** What belongs to an `SSL`, which ends that use when it is freed or gets others. */
const given: Map<bigint, unknown[]> = new Map();

/** Has `Deno.dlopen` give functions that are kept account of. Freeing what is not there throws. */
export function keepLedger(): void {
  const { dlopen } = Deno;
  const counting = (file: string | URL, functions: Deno.ForeignLibraryInterface) => {
    const library = dlopen(file, functions);
    const symbols: Record<string, Call> = { ...library.symbols as Record<string, Call> };
    for (const [name, kind] of Object.entries(MAKERS)) {
      const make = symbols[name];
      if (make === undefined) continue;
      symbols[name] = (...args) => {
        const made = make(...args);
        const used = name.endsWith("_up_ref") ? args[0] : made;
        if (used !== null) change(name, kind, used, 1);
        return made;
      };
    }
    for (const [name, kind] of Object.entries(FREERS)) {
      const free = symbols[name];
      if (free === undefined) continue;
      symbols[name] = (...args) => {
        change(name, kind, args[0], -1);
        if (kind === "SSL") dropGiven(name, args[0]);
        return free(...args);
      };
    }
    const give = symbols.SSL_set_bio;
    if (give !== undefined) {
      symbols.SSL_set_bio = (ssl, ...wires) => {
        dropGiven("SSL_set_bio", ssl);
        given.set(addressOf(ssl), wires);
        return give(ssl, ...wires);
      };
    }
    return { symbols, close: () => library.close() };
  };
  Object.assign(Deno, { dlopen: counting });
}

/** How many objects of each kind there are. */
export function balance(): Record<string, number> {
  const kinds = Object.fromEntries(Object.values(FREERS).map((kind) => [kind, 0]));
  for (const [key, count] of uses) {
    const kind = key.slice(0, key.indexOf(" "));
    kinds[kind] = (kinds[kind] ?? 0) + count;
  }
  return kinds;
}

function dropGiven(name: string, ssl: unknown): void {
  for (const wire of given.get(addressOf(ssl)) ?? []) change(name, "BIO", wire, -1);
  given.delete(addressOf(ssl));
}

function addressOf(object: unknown): bigint {
  return Deno.UnsafePointer.value(object as Deno.PointerValue);
}

function change(name: string, kind: string, object: unknown, by: number): void {
  const key = `${kind} ${addressOf(object)}`;
  const count = (uses.get(key) ?? 0) + by;
  if (count < 0) throw new Error(`${name}() was called for what is not there`);
  if (count === 0) uses.delete(key);
  else uses.set(key, count);
}
