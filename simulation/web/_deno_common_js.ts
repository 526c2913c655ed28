import * as modules from "node:module";
import type { Patch } from "../_patch.ts";
import { currentPlace, type Place } from "../_place.ts";

/** Where `require()` keeps what it has loaded. */
const { Module } = modules as unknown as { Module: object };

/** The modules of CommonJS that each place has loaded for itself. */
const modulesOf: WeakMap<Place, object> = new WeakMap();

/** Lets `place` load modules of CommonJS of its own. */
export function isolateModules(place: Place): void {
  if (!modulesOf.has(place)) modulesOf.set(place, Object.create(null));
}

/** A place has modules of its own, if it wants them. */
export function commonJsPatches(): Patch[] {
  return [{
    target: Module,
    key: "_cache",
    read: (_world, _receiver, readOriginal) => {
      const place = currentPlace();
      return (place === null ? undefined : modulesOf.get(place)) ?? readOriginal();
    },
  }];
}
