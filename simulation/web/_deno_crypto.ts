import nodeCrypto, { type KeyObject } from "node:crypto";
import type { Patch } from "../_patch.ts";
import { createRefusal } from "../_refused_call.ts";
import type { World } from "../_world.ts";

/** What draws from the host's chance. */
const REFUSED = [
  "generateKey",
  "generateKeyPair",
  "generateKeyPairSync",
  "generateKeySync",
  "generatePrime",
  "generatePrimeSync",
  "privateEncrypt",
  "publicEncrypt",
];

/** What the host computes on a thread of its own, if a callback is given. */
const HELD = ["checkPrime", "hkdf", "pbkdf2", "scrypt"];

/** A callback of Node. */
type Callback = (error: Error | null, value?: unknown) => void;

/** `node:crypto`: its chance is that of the world, and time stands still while the host computes. */
export function cryptoPatches(): Patch[] {
  const target = nodeCrypto;
  const refuse = (target: object, prefix: string, key: string): Patch => ({
    target,
    key,
    create: () => createRefusal(`${prefix}${key}()`, false),
  });
  return [
    { target, key: "randomFillSync", create: createFillSync },
    { target, key: "randomFill", create: createFill },
    { target, key: "randomInt", create: createInt },
    ...REFUSED.map((key) => refuse(target, "node:crypto.", key)),
    ...HELD.map((key): Patch => ({ target, key, create: holdForCallback })),
    ...["sign", "verify"].map((key): Patch => ({ target, key, create: createSign })),
    refuse(nodeCrypto.DiffieHellman.prototype, "node:crypto.DiffieHellman.", "generateKeys"),
    refuse(nodeCrypto.ECDH.prototype, "node:crypto.ECDH.", "generateKeys"),
    { target: nodeCrypto.Sign.prototype, key: "sign", create: createSignMethod },
  ];
}

/** What can be filled with bytes. */
type Fillable = ArrayBuffer | ArrayBufferView;

function bytesOf(target: Fillable, offset: number, size: number | undefined): Uint8Array {
  const whole = ArrayBuffer.isView(target)
    ? new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
    : new Uint8Array(target);
  return whole.subarray(offset, size === undefined ? undefined : offset + size);
}

function createFillSync({ random }: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as typeof nodeCrypto.randomFillSync;
  return (target: Fillable, offset?: number, size?: number): Fillable => {
    // It says what is wrong with the arguments, and its bytes are written over.
    original(target as Uint8Array, offset, size);
    const perElement = (target as Uint8Array).BYTES_PER_ELEMENT ?? 1;
    const count = size === undefined ? undefined : size * perElement;
    const bytes = bytesOf(target, (offset ?? 0) * perElement, count);
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = random.below(256);
    return target;
  };
}

function createFill(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (...args: unknown[]) => void;
  return (target: Fillable, ...rest: unknown[]): void => {
    const callback = rest.at(-1) as Callback;
    if (typeof callback !== "function") return original(target, ...rest);
    const [offset, size] = rest.slice(0, -1) as [number?, number?];
    nodeCrypto.randomFillSync(target as Uint8Array, offset, size);
    world.place.later(0, () => callback(null, target));
  };
}

function createInt(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (...args: unknown[]) => number;
  return (...args: unknown[]): number | void => {
    const callback = args.findLast((arg) => typeof arg === "function") as Callback | undefined;
    const bounds = args.filter((arg) => typeof arg !== "function");
    // It says what is wrong with the arguments.
    original(...bounds);
    const [least, end] = bounds.length === 1 ? [0, bounds[0]] : bounds;
    const [from, to] = [Number(least), Number(end)];
    const number = from + Math.floor(world.random.next() * (to - from));
    if (callback === undefined) return number;
    world.place.later(0, () => callback(null, number));
  };
}

/** Time stands still until the callback, which is called by the loop of its host. */
function holdForCallback(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (...args: unknown[]) => void;
  return (...args: unknown[]): void => {
    const callback = args.pop();
    if (typeof callback !== "function") return original(...args, callback);
    const { place, works } = world;
    let done: (deliver: () => void) => void = () => {};
    original(...args, (...results: unknown[]) => {
      done(() => place.later(0, () => callback(...results)));
    });
    // What is wrong with the arguments was thrown.
    done = works.begin(place);
  };
}

/** What may sign, with how. */
type SigningKey = KeyObject | { key?: unknown; padding?: number } | string | Uint8Array;

/** Signatures of these have the host's chance in them. */
function isChancy(given: SigningKey): boolean {
  const { padding } = given as { padding?: number };
  if (padding === nodeCrypto.constants.RSA_PKCS1_PSS_PADDING) return true;
  const type = typeOf(given);
  return type === "ec" || type === "dsa" || type === "rsa-pss";
}

function typeOf(given: SigningKey): string | undefined {
  const key = given instanceof nodeCrypto.KeyObject
    ? given
    : nodeCrypto.createPrivateKey(given as Parameters<typeof nodeCrypto.createPrivateKey>[0]);
  return key.asymmetricKeyType;
}

/** Both compute on a thread of the host if a callback is given. */
function createSign(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (...args: unknown[]) => unknown;
  const isSign = original.name.startsWith("sign");
  return (...args: unknown[]): unknown => {
    if (isSign && isChancy(args[2] as SigningKey)) refuseSigning();
    if (typeof args.at(-1) !== "function") return original(...args);
    const held = holdForCallback(world, () => original) as (...args: unknown[]) => void;
    return held(...args);
  };
}

function createSignMethod(_world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as () => unknown;
  return function (this: unknown, ...args: unknown[]): unknown {
    if (isChancy(args[0] as SigningKey)) refuseSigning();
    return Reflect.apply(original, this, args);
  };
}

function refuseSigning(): never {
  throw createRefusal("node:crypto.sign() with the host's chance in its result", false)();
}
