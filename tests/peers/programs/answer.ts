/** Gives what it says. */
export function answer(): number {
  return 42;
}
