// What is no factory, and what no protocol: said at the call, with how it is written here.
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { BufferedProtocol, DatagramProtocol, Protocol, SubprocessProtocol } from "../../../mod.ts";
import { checkFactory, createProtocol } from "../../../transports/core/create_protocol.ts";

/** The methods of asyncio's protocols. */
const METHODS = [
  "connection_made",
  "connection_lost",
  "data_received",
  "eof_received",
  "pause_writing",
  "resume_writing",
  "get_buffer",
  "buffer_updated",
  "datagram_received",
  "error_received",
  "pipe_data_received",
  "pipe_connection_lost",
  "process_exited",
];

Deno.test("checkFactory() refuses a class, which is a factory in Python only", () => {
  class Echo extends Protocol {}
  for (
    const [factory, name] of [[Echo, 'class "Echo"'], [class {}, "an anonymous class"]] as const
  ) {
    assertThrows(
      () => checkFactory(factory),
      TypeError,
      `expected a function as the factory, as in () => new Echo(), got ${name}`,
    );
  }
});

Deno.test("checkFactory() takes any other function", () => {
  const plain = function () {
    return {};
  };
  for (const factory of [() => ({}), plain, plain.bind(null), { make: () => ({}) }.make]) {
    assertEquals(checkFactory(factory), undefined);
  }
});

Deno.test("createProtocol() refuses a method of asyncio's spelling, and names ours", () => {
  for (const method of METHODS) {
    const ours = method.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    for (const Base of [Object, Protocol, BufferedProtocol, DatagramProtocol, SubprocessProtocol]) {
      class Ported extends (Base as new () => object) {}
      Object.defineProperty(Ported.prototype, method, { value: () => {} });
      assertThrows(
        () => createProtocol(() => new Ported()),
        TypeError,
        `unknown method "${method}", the name is "${ours}"`,
      );
    }
  }
});

Deno.test("createProtocol() takes what has such a name for something else", () => {
  const protocol = { connection_made: false, data_received: 3 };
  assertStrictEquals(createProtocol(() => protocol), protocol);
});
