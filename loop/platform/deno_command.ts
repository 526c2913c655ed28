import { flagsMissing } from "../errors/deno_not_capable.ts";

/** Names this Deno as a program to start; by its bare name where only that is granted. */
export function denoCommand(): string {
  const command = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command });
  return state === "granted" ? command : "deno";
}

/**
 * Asks for the permission to run this Deno, as Deno's own functions do.
 *
 * @throws {Deno.errors.NotCapable} If it is refused.
 */
export function checkRunsDeno(action: string): void {
  const command = denoCommand();
  const { state } = Deno.permissions.requestSync({ name: "run", command });
  if (state !== "granted") throw flagsMissing(action, ["--allow-run=deno"]);
}
