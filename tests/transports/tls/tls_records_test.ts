import { assertEquals } from "@std/assert";
import { TlsRecords } from "../../../transports/tls/_tls_records.ts";

/** Three records, the second of which is empty. */
const STREAM = new Uint8Array([23, 3, 3, 0, 2, 7, 7, 21, 3, 3, 0, 0, 23, 3, 3, 1, 0]
  .concat(new Array(256).fill(7)));
const BOUNDARIES = [0, 7, 12, 273];

Deno.test("TlsRecords knows after every byte whether it is inside of a record", () => {
  const records = new TlsRecords();
  assertEquals(records.isInside, false);
  STREAM.forEach((byte, index) => {
    records.follow(new Uint8Array([byte]), 1);
    assertEquals(records.isInside, !BOUNDARIES.includes(index + 1), `after byte ${index}`);
  });
});

Deno.test("TlsRecords knows the same however the stream is cut", () => {
  for (let first = 0; first <= STREAM.length; first += 1) {
    const records = new TlsRecords();
    records.follow(STREAM, first);
    assertEquals(records.isInside, !BOUNDARIES.includes(first));
    records.follow(STREAM.subarray(first), STREAM.length - first);
    assertEquals(records.isInside, false);
  }
});
