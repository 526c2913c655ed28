/**
 * Puts bytes that must not change around every buffer that a library is handed, and looks at them
 * after each call. To be called before the library is opened.
 *
 * @module
 */

const MARGIN = 64;
const CANARY = 0xa5;

type Call = (...args: unknown[]) => unknown;

/** Has `Deno.dlopen` give functions whose buffers are guarded. */
export function guardBuffers(): void {
  const { dlopen } = Deno;
  const guarded = (file: string | URL, functions: Deno.ForeignLibraryInterface) => {
    const library = dlopen(file, functions);
    const symbols: Record<string, Call> = {};
    for (const [name, call] of Object.entries(library.symbols as Record<string, Call>)) {
      symbols[name] = (...args) => callGuarded(name, call, args);
    }
    return { symbols, close: () => library.close() };
  };
  Object.assign(Deno, { dlopen: guarded });
}

function callGuarded(name: string, call: Call, args: unknown[]): unknown {
  const views = args.map((arg) => ArrayBuffer.isView(arg) ? guard(arg) : null);
  const result = call(...args.map((arg, index) => views[index]?.inside ?? arg));
  for (const view of views) view?.check(name);
  return result;
}

function guard(view: ArrayBufferView) {
  const own = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const around = new Uint8Array(own.length + 2 * MARGIN).fill(CANARY);
  const inside = around.subarray(MARGIN, MARGIN + own.length);
  inside.set(own);
  return {
    inside,
    check(name: string) {
      const isIntact = around.subarray(0, MARGIN).every((byte) => byte === CANARY) &&
        around.subarray(MARGIN + own.length).every((byte) => byte === CANARY);
      if (!isIntact) throw new Error(`${name}() has written outside of its buffer`);
      own.set(inside);
    },
  };
}
