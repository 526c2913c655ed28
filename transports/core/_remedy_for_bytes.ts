/** How the bytes are had that somebody means who gives `data`; nothing where that is not clear. */
export function remedyForBytes(data: unknown): string {
  if (typeof data === "string") return "; new TextEncoder().encode(text) makes one";
  if (data instanceof ArrayBuffer) return "; new Uint8Array(buffer) is one";
  return Array.isArray(data) ? "; Uint8Array.from(list) makes one" : "";
}
