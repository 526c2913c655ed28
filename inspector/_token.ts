/** Makes a token that nobody can guess. */
export function createToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether `given` is `secret`, in a time that tells nothing about how much of it is. */
export function isSameText(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length;
  for (let index = 0; index < secret.length; index += 1) {
    difference |= given.charCodeAt(index % Math.max(given.length, 1)) ^ secret.charCodeAt(index);
  }
  return difference === 0;
}
