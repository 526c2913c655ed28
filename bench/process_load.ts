/**
 * The loads that the tests run in small, in full: `deno run --allow-run=cat,sh,true bench/process_load.ts`.
 *
 * 1 GiB through `cat` and back at once, every byte checked; 500 children at the same time; 5,000
 * one after the other. Prints seconds, descriptors and memory of each.
 *
 * @module
 */
import {
  createSubprocessExec,
  createSubprocessShell,
  createTask,
  gather,
  PIPE,
  run,
  type StreamReader,
  type StreamWriter,
} from "@gyre/asyncio";

const GIBIBYTE = 1 << 30;
const AT_ONCE = 500;
const IN_TURN = 5_000;
const PIPES = { stdin: PIPE, stdout: PIPE, stderr: PIPE } as const;

/** A period of bytes that no power of two divides, so that a lost block shows. */
const PATTERN = Uint8Array.from({ length: 65_521 }, (_, index) => (index * 31) >> 3);

async function openDescriptors(): Promise<number> {
  const shell = await createSubprocessShell("ls /proc/$PPID/fd | wc -l", { stdout: PIPE });
  const [output] = await shell.communicate();
  return Number(new TextDecoder().decode(output));
}

function residentMiB(): number {
  return Math.round(Deno.memoryUsage().rss / (1 << 20));
}

async function writePattern(writer: StreamWriter, size: number): Promise<number> {
  let most = 0;
  for (let sent = 0; sent < size; sent += PATTERN.length) {
    writer.write(PATTERN.subarray(0, Math.min(PATTERN.length, size - sent)));
    most = Math.max(most, writer.transport.getWriteBufferSize());
    await writer.drain();
  }
  writer.close();
  return most;
}

/** Reads to the end; throws at the first byte that is not the pattern's. */
async function checkPattern(reader: StreamReader): Promise<number> {
  let received = 0;
  for (;;) {
    const data = await reader.read(256 * 1024);
    if (data.length === 0) return received;
    let at = received % PATTERN.length;
    for (const byte of data) {
      if (byte !== PATTERN[at]) throw new Error(`Cannot trust byte ${received + at}: it differs`);
      at = at + 1 === PATTERN.length ? 0 : at + 1;
    }
    received += data.length;
  }
}

async function sendThroughCat(): Promise<string> {
  const cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
  const { stdin, stdout } = cat;
  const writing = createTask(() => writePattern(stdin, GIBIBYTE));
  const received = await checkPattern(stdout);
  if (received !== GIBIBYTE) throw new Error(`Cannot count 1 GiB: ${received} bytes came`);
  return `at most ${await writing} bytes buffered, exit ${await cat.wait()}`;
}

async function communicate(index: number): Promise<void> {
  const cat = await createSubprocessExec("cat", PIPES);
  const [output] = await cat.communicate(new TextEncoder().encode(`${index}`));
  if (new TextDecoder().decode(output) !== `${index}`) {
    throw new Error(`Cannot trust child ${index}: it gave another's output`);
  }
}

async function startAtOnce(): Promise<string> {
  await gather(Array.from({ length: AT_ONCE }, (_, index) => () => communicate(index)));
  return `${AT_ONCE} children`;
}

async function startInTurn(): Promise<string> {
  const memory: number[] = [];
  for (let count = 0; count < IN_TURN; count += 1) {
    const child = await createSubprocessExec("true", PIPES);
    await child.wait();
    if (count % (IN_TURN / 5) === 0) memory.push(residentMiB());
  }
  return `${IN_TURN} children, MiB over time ${memory.join(" ")}`;
}

await run(async () => {
  for (const work of [sendThroughCat, startAtOnce, startInTurn]) {
    const [descriptors, memory] = [await openDescriptors(), residentMiB()];
    const start = performance.now();
    const outcome = await work();
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    console.log(
      `${work.name}: ${outcome}; ${seconds} s, ` +
        `descriptors ${descriptors} to ${await openDescriptors()}, ` +
        `MiB ${memory} to ${residentMiB()}`,
    );
  }
});
