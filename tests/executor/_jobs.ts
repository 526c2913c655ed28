/** A job of a module: it uses what is around it. */
export function countWords(text: string): number {
  return wordsOf(text).length;
}

function wordsOf(text: string): string[] {
  return text.split(" ");
}
