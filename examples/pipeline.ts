/**
 * Three programs in a row, as `seq 1 300000 | grep 7 | wc -l`, joined by our own hands: a program
 * that reads slowly holds back those before it, so nothing piles up in between.
 *
 * deno run --allow-run=seq,grep,wc examples/pipeline.ts
 *
 * Prints, for instance:
 *     122853 lines have a 7 in them
 *     at most 131072 bytes were buffered between two programs
 *
 * @module
 */
import {
  createSubprocessExec,
  gather,
  PIPE,
  run,
  type StreamReader,
  type StreamWriter,
} from "@gyre/asyncio";

let mostBuffered = 0;

/** Passes on everything from one program to the next, no faster than that one reads. */
async function join(from: StreamReader | null, to: StreamWriter | null): Promise<void> {
  if (from === null || to === null) throw new TypeError("Cannot join programs: no pipe");
  await using writer = to;
  for (;;) {
    const data = await from.read(64 * 1024);
    if (data.length === 0) return;
    writer.write(data);
    mostBuffered = Math.max(mostBuffered, writer.transport.getWriteBufferSize());
    await writer.drain();
  }
}

const count = await run(async () => {
  await using seq = await createSubprocessExec("seq", { args: ["1", "300000"], stdout: PIPE });
  await using grep = await createSubprocessExec("grep", {
    args: ["7"],
    stdin: PIPE,
    stdout: PIPE,
  });
  await using wc = await createSubprocessExec("wc", { args: ["-l"], stdin: PIPE, stdout: PIPE });
  const [, , count] = await gather([
    () => join(seq.stdout, grep.stdin),
    () => join(grep.stdout, wc.stdin),
    async () => Number(new TextDecoder().decode(await wc.stdout.read())),
  ]);
  return count;
});

console.log(`${count} lines have a 7 in them`);
console.log(`at most ${mostBuffered} bytes were buffered between two programs`);
