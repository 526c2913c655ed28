import { assertEquals } from "@std/assert";
import { frame, FrameReader, MARK_SIZE } from "../../executor/_frames.ts";

const mark = Uint8Array.from({ length: MARK_SIZE }, (_, index) => 65 + index);
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Output, frames, output that looks like the begin of a frame, an empty frame, and more output. */
const stream = new Uint8Array([
  ...encode("hello"),
  ...frame(mark, encode("one")),
  ...frame(mark, encode("two")),
  ...encode("ABCABC"),
  ...frame(mark, encode("")),
  ...encode("ABC"),
]);

for (const size of [1, 2, 7, 19, 20, 21, stream.length]) {
  Deno.test(`FrameReader tells frames from output in chunks of ${size}`, () => {
    const frames: string[] = [];
    let output = "";
    const reader = new FrameReader(
      mark,
      (payload) => frames.push(decode(payload)),
      (bytes) => output += decode(bytes),
    );
    for (let start = 0; start < stream.length; start += size) {
      reader.push(stream.slice(start, start + size));
    }
    reader.end();
    assertEquals(frames, ["one", "two", ""]);
    assertEquals(output, "helloABCABCABC");
  });
}
