// Does not get as far as listening.
export function main(): never {
  throw new Error("no database");
}
