// Rows R01 to R04 of "Streams": what reads return and throw, flow control, and reads at once.
// The expected values were measured on CPython 3.13.
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  CancelledError,
  createTask,
  type Future,
  IncompleteReadError,
  InvalidStateError,
  LimitOverrunError,
  sleep,
  StreamReader,
} from "../../mod.ts";
import { caughtBy, runVirtual } from "../loop/mod.ts";
import { PauseLog } from "./_fake_transport.ts";
import { type Fed, feed, takeRest, text, utf8 } from "./_feeding.ts";
import { stateOf } from "../../transports/streams/stream_reader.ts";

type ReadOf = (reader: StreamReader) => Future<Uint8Array>;

/** What a read of a fed reader returns, and what it leaves. */
const RETURNS: readonly [name: string, fed: Fed, read: ReadOf, value: string, rest: string][] = [
  ["read(0) returns nothing", {}, (r) => r.read(0), "", ""],
  ["read(-1) reads to the end", { data: "abc", eof: true }, (r) => r.read(-1), "abc", ""],
  ["read() reads to the end", { data: "abc", eof: true }, (r) => r.read(), "abc", ""],
  ["read() is empty at the end", { eof: true }, (r) => r.read(), "", ""],
  ["read(10) takes what is there", { data: "abc" }, (r) => r.read(10), "abc", ""],
  ["read(2) leaves the rest", { data: "abc" }, (r) => r.read(2), "ab", "c"],
  ["read(10) is empty at the end", { eof: true }, (r) => r.read(10), "", ""],
  ["readExactly(0) returns nothing", {}, (r) => r.readExactly(0), "", ""],
  ["readExactly(0) at the end", { eof: true }, (r) => r.readExactly(0), "", ""],
  ["readExactly(3) of more", { data: "abcd" }, (r) => r.readExactly(3), "abc", "d"],
  ["readExactly(3) before the end", { data: "abc", eof: true }, (r) => r.readExactly(3), "abc", ""],
  ["readLine() keeps the end", { data: "a\nbc\n" }, (r) => r.readLine(), "a\n", "bc\n"],
  ["readLine() at the end, unended", { data: "abc", eof: true }, (r) => r.readLine(), "abc", ""],
  ["readLine() is empty at the end", { eof: true }, (r) => r.readLine(), "", ""],
  ["readLine() at the limit", { data: "abcd\nx", limit: 4 }, (r) => r.readLine(), "abcd\n", "x"],
  ["readUntil() seeks lines", { data: "ab\nc" }, (r) => r.readUntil(), "ab\n", "c"],
  ["readUntil() at the limit", { data: "abcd\r\nx", limit: 4 }, until("\r\n"), "abcd\r\n", "x"],
  ["readUntil() of bytes", { data: "ab;c" }, (r) => r.readUntil(utf8(";")), "ab;", "c"],
  ["readUntil() skips false starts", { data: "\r\r\r\nx" }, until("\r\n"), "\r\r\r\n", "x"],
  ["of two that end together", { data: "abcXYZdef" }, until(["Z", "YZ"]), "abcXYZ", "def"],
  ["the one that ends first", { data: "abcXYZdef" }, until(["XYZ", "Y"]), "abcXY", "Zdef"],
  ["also when another begins first", { data: "abcXYZd" }, until(["XYZd", "Z"]), "abcXYZ", "d"],
  ["also in the midst of another", { data: "abcABCDE" }, until(["ABCDE", "C"]), "abcABC", "DE"],
];

/** What a read of a fed reader throws, and what it leaves. */
const THROWS: readonly [name: string, fed: Fed, read: ReadOf, error: object, rest: string][] = [
  [
    "readExactly(5) at the end",
    { data: "abc", eof: true },
    (r) => r.readExactly(5),
    { name: "IncompleteReadError", partial: utf8("abc"), expected: 5 },
    "",
  ],
  [
    "readUntil() at the end",
    { data: "abcd", eof: true },
    until("\r\n"),
    { name: "IncompleteReadError", partial: utf8("abcd"), expected: null },
    "",
  ],
  [
    "readUntil() at the end with nothing",
    { eof: true },
    until("\r\n"),
    { name: "IncompleteReadError", partial: utf8(""), expected: null },
    "",
  ],
  overran("without \\n", { data: "abcdefgh", limit: 4 }, until("\n"), 8, "abcdefgh"),
  overran("with half of it", { data: "abcdefgh\r", limit: 4 }, until("\r\n"), 8, "abcdefgh\r"),
  overran("found behind", { data: "abcdefgh\r\nq", limit: 4 }, until("\r\n"), 8, "abcdefgh\r\nq"),
  overran("at the end", { data: "abcdefg", eof: true, limit: 4 }, until("\n"), 7, "abcdefg"),
  overran("of several", { data: "abcdefgh", limit: 4 }, until(["X", "XYZ"]), 6, "abcdefgh"),
  overran("by what comes first", { data: "xxABCx", limit: 1 }, until("ABC"), 2, "xxABCx"),
  ["readLine() drops all", ...line({ data: "abcdefgh", limit: 4 }, 8), ""],
  ["readLine() drops the line", ...line({ data: "abcdefgh\nxyz", limit: 4 }, 8), "xyz"],
  ["readLine() past the limit", ...line({ data: "abcdf", eof: true, limit: 4 }, 5), ""],
];

function until(separator: string | string[]): ReadOf {
  return (reader) => reader.readUntil(separator);
}

function overran(
  name: string,
  fed: Fed,
  read: ReadOf,
  consumed: number,
  rest: string,
): [string, Fed, ReadOf, object, string] {
  return [`readUntil() ${name}`, fed, read, { name: "LimitOverrunError", consumed }, rest];
}

function line(fed: Fed, consumed: number): [Fed, ReadOf, object] {
  return [fed, (reader) => reader.readLine(), { name: "LimitOverrunError", consumed }];
}

for (const [name, fed, read, value, rest] of RETURNS) {
  Deno.test(`R01 StreamReader returns: ${name}`, () =>
    runVirtual(function* (loop) {
      const reader = feed(loop, fed);

      const future = read(reader);

      assertEquals(future.done(), true);
      assertEquals(text(future.result()), value);
      assertEquals(yield* takeRest(reader), rest);
    }));
}

for (const [name, fed, read, expected, rest] of THROWS) {
  Deno.test(`R01 StreamReader throws: ${name}`, () =>
    runVirtual(function* (loop) {
      const reader = feed(loop, fed);

      const error = (yield* caughtBy(read(reader))) as Error;

      const facts = Object.keys(expected).map((key) => [key, (error as never)[key]]);
      assertEquals(Object.fromEntries(facts), expected);
      assertEquals(yield* takeRest(reader), rest);
    }));
}

Deno.test("R01 every read throws the error of the stream, also with bytes left", () =>
  runVirtual(function* (loop) {
    const error = new Error("planted");
    const reader = feed(loop, { data: "abc\n", error });
    const reads: (() => Future<unknown>)[] = [
      () => reader.read(0),
      () => reader.read(1),
      () => reader.read(),
      () => reader.readExactly(0),
      () => reader.readLine(),
      () => reader.readUntil(),
      () => reader.readInto(new Uint8Array(1)),
    ];

    for (const read of reads) assertEquals(yield* caughtBy(read()), error);

    assertEquals(reader.exception(), error);
    assertEquals(reader.atEof(), false);
  }));

Deno.test("R01 StreamReader.setException() ends the read that waits", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop });
    const error = new Error("planted");
    const read = reader.readExactly(10);

    reader.feedData(utf8("abc"));
    reader.setException(error);

    assertEquals(yield* caughtBy(read), error);
  }));

Deno.test("R01 wrong arguments are refused at once", () =>
  runVirtual((loop) => {
    const reader = new StreamReader({ loop });

    assertThrows(() => reader.readExactly(-1), RangeError, "-1 is not a number of bytes");
    assertThrows(() => reader.readExactly(1.5), RangeError, "1.5 is not a number of bytes");
    assertThrows(() => reader.read(NaN), RangeError, "NaN is not a number of bytes");
    assertThrows(() => reader.readUntil(""), RangeError, "it is empty");
    assertThrows(() => reader.readUntil(["a", ""]), RangeError, "it is empty");
    assertThrows(() => reader.readUntil([]), RangeError, "the list of separators is empty");
    assertThrows(() => reader.readUntil(10 as never), TypeError, "got 10");
    assertThrows(() => new StreamReader({ loop, limit: 0 }), RangeError, "got 0");
    assertThrows(() => reader.setLimit(-1), RangeError, "got -1");
  }));

Deno.test("R01 StreamReader.atEof() is true once all is read", () =>
  runVirtual(function* (loop) {
    const reader = feed(loop, { data: "x" });
    assertEquals(reader.atEof(), false);
    reader.feedEof();
    assertEquals(reader.atEof(), false);

    yield* reader.read(1);

    assertEquals(reader.atEof(), true);
    assertThrows(() => reader.feedData(utf8("x")), InvalidStateError, "feedEof() was called");
  }));

Deno.test("R01 readUntil() finds separators that come in pieces", () =>
  runVirtual(function* (loop) {
    const reader = feed(loop, { data: "abABC" });
    const read = reader.readUntil(["ABCDE", "CZ"]);
    yield* sleep(0);

    reader.feedData(utf8("D"));
    yield* sleep(0);
    reader.feedData(utf8("E.."));

    assertEquals(text(yield* read), "abABCDE");
    assertEquals(yield* takeRest(reader), "..");
  }));

Deno.test("R01 readUntil() of several finds the first end wherever it is in a long stream", () =>
  runVirtual(function* (loop) {
    // The search goes in steps of 1024 bytes: these separators lie across the first two borders.
    for (let before = 1010; before < 2060; before += before === 1040 ? 1000 : 1) {
      const reader = feed(loop, { data: ".".repeat(before) + "abcdef..." });
      assertEquals((yield* reader.readUntil(["abcdef", "zz"])).length, before + 6);
      const nested = feed(loop, { data: ".".repeat(before) + "abcdef..." });
      assertEquals((yield* nested.readUntil(["abcdef", "de"])).length, before + 5);
    }
  }));

Deno.test("R01 readUntil() searches on from the right byte after another read took some", () =>
  runVirtual(function* (loop) {
    const reader = feed(loop, { data: "0123456789" });
    const waiting = reader.readUntil("x");
    assertEquals(text(yield* reader.readExactly(8)), "01234567");

    reader.feedData(utf8("x89x"));

    assertEquals(text(yield* waiting), "89x");
  }));

Deno.test("StreamReader.readInto() fills the memory of the caller", () =>
  runVirtual(function* (loop) {
    const reader = feed(loop, { data: "abcde" });
    const memory = new Uint8Array(3);

    assertEquals(yield* reader.readInto(memory), 3);
    assertEquals(text(memory), "abc");
    assertEquals(yield* reader.readInto(memory), 2);
    assertEquals(text(memory), "dec");
    const waiting = reader.readInto(memory);
    stateOf(reader).feedCopy(utf8("fghi"), 4);
    assertEquals(yield* waiting, 3);
    assertEquals(text(memory), "fgh");
    assertEquals(yield* reader.readInto(new Uint8Array(0)), 0);
    assertEquals(yield* takeRest(reader), "i");
    assertEquals(yield* reader.readInto(memory), 0);
  }));

Deno.test("R02 the transport is paused above twice the limit, and resumed at the limit", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop, limit: 4 });
    const { entries } = withLog(reader);

    reader.feedData(utf8("12345678"));
    assertEquals(entries, []);
    reader.feedData(utf8("9"));
    assertEquals(entries, ["pause"]);
    reader.feedData(utf8("0"));
    assertEquals(entries, ["pause"]);
    yield* reader.read(5);
    assertEquals(entries, ["pause"]);
    yield* reader.read(1);
    assertEquals(entries, ["pause", "resume"]);
  }));

Deno.test("R02 a read that wants more than is there resumes the transport", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop, limit: 4 });
    const { entries } = withLog(reader);
    reader.feedData(utf8("123456789"));

    const read = reader.readExactly(12);
    assertEquals(entries, ["pause", "resume"]);
    reader.feedData(utf8("0"));
    assertEquals(entries, ["pause", "resume"]);
    reader.feedData(utf8("ab.........."));
    assertEquals(entries, ["pause", "resume", "pause"]);

    assertEquals(text(yield* read), "1234567890ab");
  }));

Deno.test("R02 cancelling such a read pauses the transport again", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop, limit: 4 });
    const { entries } = withLog(reader);
    reader.feedData(utf8("123456789"));
    const read = reader.read();

    read.cancel();
    yield* caughtBy(read);

    assertEquals(entries, ["pause", "resume", "pause"]);
  }));

Deno.test("R02 StreamReader.setLimit() pauses and resumes by the new limit", () =>
  runVirtual((loop) => {
    const reader = new StreamReader({ loop, limit: 4 });
    const { entries } = withLog(reader);
    reader.feedData(utf8("12345678"));

    reader.setLimit(3);
    assertEquals(entries, ["pause"]);
    reader.setLimit(8);
    assertEquals(entries, ["pause", "resume"]);
  }));

Deno.test("R02 dropping a line that is too long resumes the transport", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop, limit: 4 });
    const { entries } = withLog(reader);
    reader.feedData(utf8("123456789\nx"));

    assertInstanceOf(yield* caughtBy(reader.readLine()), LimitOverrunError);

    assertEquals(entries, ["pause", "resume"]);
    assertEquals(yield* takeRest(reader), "x");
  }));

Deno.test("R03 a second read that would wait throws InvalidStateError", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop });
    const waiting = reader.readExactly(10);
    const reads: (() => Future<unknown>)[] = [
      () => reader.read(1),
      () => reader.read(),
      () => reader.readExactly(1),
      () => reader.readLine(),
      () => reader.readUntil(),
      () => reader.readInto(new Uint8Array(1)),
    ];

    for (const read of reads) {
      const error = yield* caughtBy(read());
      assertInstanceOf(error, InvalidStateError);
      assertEquals(error.message, "Cannot read from a stream: another read waits for data");
    }

    reader.feedEof();
    assertInstanceOf(yield* caughtBy(waiting), IncompleteReadError);
  }));

Deno.test("R03 a second read that need not wait is served", () =>
  runVirtual(function* (loop) {
    const reader = feed(loop, { data: "abc" });
    const waiting = reader.readExactly(10);

    assertEquals(text(yield* reader.readExactly(2)), "ab");
    assertEquals(text(yield* reader.read(0)), "");

    reader.feedData(utf8("defghijkl"));
    assertEquals(text(yield* waiting), "cdefghijkl");
  }));

Deno.test("R04 a cancelled read has taken nothing, wherever it was cancelled", async () => {
  const reads: ((reader: StreamReader) => Future<unknown>)[] = [
    (reader) => reader.read(4),
    (reader) => reader.read(),
    (reader) => reader.readExactly(4),
    (reader) => reader.readLine(),
    (reader) => reader.readUntil(["cd", "zz"]),
    (reader) => reader.readInto(new Uint8Array(3)),
    (reader) => reader[Symbol.asyncIterator]().next() as Future<unknown>,
  ];
  for (const read of reads) {
    for (const pieces of [[], ["ab"], ["ab", "cd\n"]]) {
      await runVirtual(function* (loop) {
        const reader = new StreamReader({ loop });
        let taken = 0;
        const task = createTask(function* () {
          yield* read(reader);
          taken += 1;
        });
        yield* sleep(0);

        for (const piece of pieces) stateOf(reader).feedCopy(utf8(piece), piece.length);
        task.cancel();

        assertInstanceOf(yield* caughtBy(task), CancelledError);
        assertEquals(taken, 0);
        assertEquals(yield* takeRest(reader), pieces.join(""));
      });
    }
  }
});

Deno.test("StreamReader.readInto() that has its bytes keeps other reads out", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop });
    const memory = new Uint8Array(2);
    const filled = reader.readInto(memory);
    stateOf(reader).feedCopy(utf8("abcd"), 4);

    assertInstanceOf(yield* caughtBy(reader.read(1)), InvalidStateError);

    assertEquals(yield* filled, 2);
    assertEquals(yield* takeRest(reader), "cd");
  }));

Deno.test("for await goes over the lines of a StreamReader, the last one unended", () =>
  runVirtual(async (loop) => {
    const reader = feed(loop, { data: "a\nb\nc", eof: true });
    const lines: string[] = [];

    for await (const line of reader) lines.push(text(line));

    assertEquals(lines, ["a\n", "b\n", "c"]);
  }));

Deno.test("for await over a StreamReader is cancelled with its task, and loses nothing", () =>
  runVirtual(function* (loop) {
    const reader = feed(loop, { data: "a\nb" });
    const lines: string[] = [];
    const task = createTask(async () => {
      for await (const line of reader) lines.push(text(line));
    });
    yield* sleep(1);

    task.cancel();

    assertInstanceOf(yield* caughtBy(task), CancelledError);
    assertEquals(lines, ["a\n"]);
    assertEquals(yield* takeRest(reader), "b");
  }));

Deno.test("StreamReader.read() resumes its coroutine in the iteration that follows the data", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop });
    const log: string[] = [];
    createTask(function* () {
      log.push(text(yield* reader.read(10)));
    });
    yield* sleep(0);

    reader.feedData(utf8("data"));
    loop.callSoon(() => log.push("after"));
    log.push("before");
    yield* sleep(0);

    assertEquals(log, ["before", "data", "after"]);
  }));

Deno.test("StreamReader.transport is what was set last, and null before", () =>
  runVirtual((loop) => {
    const reader = new StreamReader({ loop });
    assertEquals(reader.transport, null);
    const first = withLog(reader);
    assertEquals(reader.transport === first, true);
    const second = withLog(reader);
    assertEquals(reader.transport === second, true);
  }));

function withLog(reader: StreamReader): PauseLog {
  const log = new PauseLog();
  reader.setTransport(log);
  return log;
}

Deno.test("StreamReader gives what came before TLS to nobody, also if a filled read is cancelled", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop });
    const waiting = reader.readInto(new Uint8Array(3));
    yield* sleep(0);
    stateOf(reader).feedCopy(utf8("clear"), 5);
    assertEquals(text(stateOf(reader).takeUnread()), "ar");

    waiting.cancel();
    yield* sleep(0);
    reader.feedData(utf8("secured\n"));
    assertEquals(text(yield* reader.readLine()), "secured\n");
  }));

Deno.test("StreamReader.takeBuffered() takes what has come, without waiting, and buffered says how much", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop });
    assertEquals([reader.buffered, text(reader.takeBuffered())], [0, ""]);
    reader.feedData(utf8("STARTTLS\nevil\n"));
    yield* reader.readLine();
    assertEquals(reader.buffered, 5);
    assertEquals(text(reader.takeBuffered()), "evil\n");
    assertEquals(reader.buffered, 0);

    const waiting = reader.readExactly(3);
    yield* sleep(0);
    reader.feedData(utf8("ab"));
    assertThrows(() => reader.takeBuffered(), InvalidStateError, "another read waits");
    reader.feedData(utf8("c"));
    assertEquals(text(yield* waiting), "abc");
    reader.feedData(utf8("end"));
    reader.feedEof();
    assertEquals([text(reader.takeBuffered()), reader.atEof()], ["end", true]);
  }));

Deno.test("StreamReader.takeBuffered() lets a full transport go on", () =>
  runVirtual(function* (loop) {
    const reader = new StreamReader({ loop, limit: 2 });
    const log = withLog(reader);
    reader.feedData(utf8("12345"));
    reader.takeBuffered();
    assertEquals(log.entries, ["pause", "resume"]);
    yield* sleep(0);
  }));
