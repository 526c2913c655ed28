/**
 * Whether `text` is a URL that stands for itself. `C:\app.ts`, a path of Windows, is none, though it
 * can be parsed: as one with the scheme `c:`, which no system has.
 */
export function isAbsoluteUrl(text: string): boolean {
  return URL.canParse(text) && !/^[a-z]:/i.test(text);
}
