import type { Patch } from "./_patch.ts";
import { type World, worlds } from "./_world.ts";

/** What a simulation has in place of the originals. */
export interface Globals {
  /** What was made when it was first asked for. */
  readonly created: Map<Patch, unknown>;
  /** What the program has put in its place. */
  readonly assigned: Map<Patch, unknown>;
}

/** What each simulation has of its own, also after its end. */
export const globalsOf: WeakMap<World, Globals> = new WeakMap();

/** A function, or a class. */
export type Callable = (...args: unknown[]) => unknown;

/** A property that is an accessor while a simulation runs. It is kept, as making it takes a while. */
export class GlobalSlot {
  readonly patch: Patch;
  readonly #accessor: PropertyDescriptor & ThisType<unknown>;
  /** What was there. */
  #descriptor: PropertyDescriptor | undefined;
  #inherited: unknown;
  /** What programs hold in place of a function: one for all simulations. */
  #dispatcher: Callable | null = null;
  readonly #readOriginal = (receiver: unknown = this.patch.target): unknown => {
    const descriptor = this.#descriptor;
    return descriptor?.get?.call(receiver) ?? descriptor?.value ?? this.#inherited;
  };

  constructor(patch: Patch) {
    this.patch = patch;
    const read = (receiver: unknown) => this.#read(receiver as object);
    const write = (receiver: unknown, value: unknown) => this.#write(receiver as object, value);
    this.#accessor = {
      configurable: true,
      enumerable: true,
      get(): unknown {
        return read(this);
      },
      set(value: unknown): void {
        write(this, value);
      },
    };
  }

  /** Makes the property an accessor. */
  install(): void {
    const { target, key } = this.patch;
    const descriptor = Object.getOwnPropertyDescriptor(target, key);
    this.#descriptor = descriptor;
    this.#inherited = descriptor === undefined ? Reflect.get(target, key) : undefined;
    this.#accessor.enumerable = descriptor?.enumerable ?? true;
    Object.defineProperty(target, key, this.#accessor);
  }

  /** Puts back what was there. */
  restore(): void {
    const { target, key } = this.patch;
    if (this.#descriptor === undefined) Reflect.deleteProperty(target, key);
    else Object.defineProperty(target, key, this.#descriptor);
  }

  #read(receiver: object): unknown {
    const { patch } = this;
    const world = worlds.getStore();
    const globals = world && globalsOf.get(world);
    if (world === undefined || globals === undefined) return this.#readOriginal(receiver);
    if (globals.assigned.has(patch)) return globals.assigned.get(patch);
    if (patch.read !== undefined) {
      return patch.read(world, receiver, () => this.#readOriginal(receiver));
    }
    const own = this.#own(world, globals);
    return typeof own === "function" ? this.#dispatcher ??= this.#dispatch(own as Callable) : own;
  }

  #write(receiver: object, value: unknown): void {
    const { patch } = this;
    const world = worlds.getStore();
    const globals = world && globalsOf.get(world);
    const own = { configurable: true, enumerable: true, writable: true, value };
    // As without the accessor: what inherits the property gets one of its own.
    if (receiver !== patch.target) Object.defineProperty(receiver, patch.key, own);
    // A program in a simulation changes the global of its world.
    else if (globals !== undefined) globals.assigned.set(patch, value);
    else this.#descriptor = { ...own, enumerable: this.#descriptor?.enumerable ?? true };
  }

  /** Returns what `world` has in place of the original, which is made the first time. */
  #own(world: World, { created }: Globals): unknown {
    const { patch } = this;
    const known = created.get(patch);
    if (known !== undefined) return known;
    const own = patch.create?.(world, this.#readOriginal);
    created.set(patch, own);
    return own;
  }

  /**
   * Returns the function that calls what belongs to the caller's world. Modules keep functions, such as
   * `const { fetch } = globalThis`, and live for longer than the simulation that has loaded them.
   */
  #dispatch(own: Callable): Callable {
    const current = (): Callable => {
      const world = worlds.getStore();
      const globals = world && globalsOf.get(world);
      if (world === undefined || globals === undefined) return this.#readOriginal() as Callable;
      return this.#own(world, globals) as Callable;
    };
    const { key } = this.patch as { key: string | symbol };
    // Methods of timers have symbols.
    if (typeof key === "string" && /^[A-Z]/.test(key)) return dispatchClass(current);
    const dispatcher = function (this: unknown, ...args: unknown[]): unknown {
      return Reflect.apply(current(), this, args);
    };
    // What hangs on a function, such as `hrtime.bigint`, hangs on what stands for it.
    for (const key of Reflect.ownKeys(own)) {
      if (Object.hasOwn(dispatcher, key)) continue;
      const get = (): unknown => Reflect.get(current(), key);
      Object.defineProperty(dispatcher, key, { configurable: true, get });
    }
    return dispatcher;
  }
}

function dispatchClass(current: () => Callable): Callable {
  const dispatcher: Callable = new Proxy(function () {} as Callable, {
    apply: (_, self, args) => Reflect.apply(current(), self, args),
    construct(_, args, newTarget) {
      const own = current();
      return Reflect.construct(own, args, newTarget === dispatcher ? own : newTarget);
    },
    get: (_, key) => Reflect.get(current(), key),
    set: (_, key, value) => Reflect.set(current(), key, value),
    has: (_, key) => Reflect.has(current(), key),
    getPrototypeOf: () => Reflect.getPrototypeOf(current()),
  });
  return dispatcher;
}
