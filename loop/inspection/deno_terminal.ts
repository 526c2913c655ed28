/** Whether what is printed to the standard error is seen in colours. */
export function printsColors(): boolean {
  return !Deno.noColor && Deno.stderr.isTerminal();
}
