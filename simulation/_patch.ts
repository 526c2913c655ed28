import type { World } from "./_world.ts";

/** A global that simulations have their own of. */
export interface Patch {
  /** The object that has it. */
  readonly target: object;
  /** Its name there. */
  readonly key: string;
  /** Creates the one of `world`, once, when it is first read there. */
  create?(world: World, readOriginal: () => unknown): unknown;
  /** In its place: returns what `receiver` has in `world`, each time when it is read. */
  read?(world: World, receiver: object, readOriginal: () => unknown): unknown;
}

/**
 * A class that cannot be used in a simulation, by whatever name: its constructor begins with that of
 * what it extends.
 */
export interface Gate {
  /** The class. */
  readonly gated: object;
  /** Throws. */
  refuse(): never;
}

/** Patches a class, and the way to it from its instances. */
export function classPatches(
  target: object,
  key: string,
  create: (world: World, readOriginal: () => unknown) => unknown,
): Patch[] {
  const { prototype } = Reflect.get(target, key) as { prototype: object };
  return [
    { target, key, create },
    { target: prototype, key: "constructor", read: () => Reflect.get(target, key) },
  ];
}
