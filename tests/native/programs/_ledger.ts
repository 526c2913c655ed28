/**
 * Keeps account of what OpenSSL is asked to make and to free. To be called before the library is opened.
 *
 * @module
 */

type Call = (...args: unknown[]) => unknown;

/** What makes an object, or one more use of it, and of which kind. */
const MAKERS: Readonly<Record<string, string>> = {
  BIO_new: "BIO",
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
        if (made !== null) change(name, kind, made, 1);
        return made;
      };
    }
    for (const [name, kind] of Object.entries(FREERS)) {
      const free = symbols[name];
      if (free === undefined) continue;
      symbols[name] = (...args) => {
        change(name, kind, args[0], -1);
        return free(...args);
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

function change(name: string, kind: string, object: unknown, by: number): void {
  const key = `${kind} ${Deno.UnsafePointer.value(object as Deno.PointerValue)}`;
  const count = (uses.get(key) ?? 0) + by;
  if (count < 0) throw new Error(`${name}() was called for what is not there`);
  if (count === 0) uses.delete(key);
  else uses.set(key, count);
}
