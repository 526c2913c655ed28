// A process job that has got hold of what frames begin with: it costs that job, and nothing else.
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { BrokenExecutor, createJob, gather, ProcessPoolExecutor, run } from "../../mod.ts";
import { frame, FrameReader, MARK_SIZE, MAX_PAYLOAD } from "../../executor/_frames.ts";

/** Writes a header of its own, with `length`, where the next frame would be. */
const forge = (length: number, report: (value: unknown) => void) => {
  const { set } = Uint8Array.prototype;
  let mark = new Uint8Array(0);
  Uint8Array.prototype.set = function (source, offset) {
    if (mark.length === 0) mark = Uint8Array.from(source as Uint8Array);
    return set.call(this, source, offset);
  };
  report("now a frame is made");
  const header = new Uint8Array(mark.length + 4);
  set.call(header, mark);
  new DataView(header.buffer).setUint32(mark.length, length);
  Deno.stdout.writeSync(header);
  return new Promise(() => {});
};

Deno.test("A process job that announces 4 GiB fails, and other jobs go on", () =>
  run(async () => {
    await using pool = new ProcessPoolExecutor({ maxWorkers: 2 });
    const job = createJob(forge, { onProgress: () => {} });
    const broken = pool.submit(job, 2 ** 32 - 1);
    const others = Array.from({ length: 10 }, () => pool.submit(() => "fine"));
    const error = await assertRejects(
      async () => await broken,
      BrokenExecutor,
      "its worker sent what is no answer to a job",
    );
    assertInstanceOf(error.cause, RangeError);
    assertEquals(await gather(others), others.map(() => "fine"));
    assertEquals(await pool.submit(() => "next"), "next");
  }));

Deno.test("A process job does not find what frames begin with in the source of its worker", () =>
  run(async () => {
    await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
    const found = await pool.submit(() => /new Uint8Array\(\[\d/.test(Deno.mainModule));
    assertEquals(found, false);
  }));

Deno.test("FrameReader takes no frame that claims to be longer than one may be", () => {
  const mark = new Uint8Array(MARK_SIZE).fill(7);
  const good = frame(mark, new Uint8Array([1, 2, 3]));
  for (const length of [MAX_PAYLOAD + 1, 2 ** 31, 2 ** 32 - 1]) {
    const payloads: Uint8Array[] = [];
    const reader = new FrameReader(mark, (payload) => payloads.push(payload), () => {});
    const forged = good.slice();
    new DataView(forged.buffer).setUint32(MARK_SIZE, length);
    reader.push(good);
    assertThrows(() => reader.push(forged), RangeError, `claims to have ${length} bytes`);
    assertEquals(payloads, [new Uint8Array([1, 2, 3])]);
  }
});
