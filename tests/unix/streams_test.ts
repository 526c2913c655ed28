// Streams over Unix sockets.
import { assertEquals, assertRejects } from "@std/assert";
import {
  createTask,
  gather,
  openUnixConnection,
  run,
  startUnixServer,
  type StreamReader,
  type StreamWriter,
} from "../../mod.ts";
import { freshPath } from "./_unix.ts";

const CLIENTS = 20;

async function echo(reader: StreamReader, writer: StreamWriter): Promise<void> {
  await using output = writer;
  for await (const line of reader) {
    output.write(line);
    await output.drain();
  }
}

Deno.test("startUnixServer() serves twenty clients at once", () =>
  run(async () => {
    const path = freshPath();
    await using server = await startUnixServer(echo, { path });
    assertEquals(server.addresses, [{ transport: "unix", path }]);

    const texts = await gather(Array.from({ length: CLIENTS }, (_, index) =>
      createTask(async () => {
        const [reader, writer] = await openUnixConnection({ path });
        await using output = writer;
        for (let number = 0; number < 100; number += 1) {
          output.write(new TextEncoder().encode(`${index} ${number}\n`));
        }
        output.writeEof();
        return new TextDecoder().decode(await reader.read());
      })));

    for (const [index, text] of texts.entries()) {
      assertEquals(
        text,
        Array.from({ length: 100 }, (_, number) => `${index} ${number}\n`).join(""),
      );
    }
  }));

Deno.test("openUnixConnection() hands over the limit, and fails where nothing is", () =>
  run(async () => {
    const path = freshPath();
    await assertRejects(() => openUnixConnection({ path }), Deno.errors.NotFound);
    await using _server = await startUnixServer(echo, { path, limit: 100 });
    const [reader, writer] = await openUnixConnection({ path, limit: 4 });
    await using output = writer;
    output.write(new TextEncoder().encode("123456789\n"));
    await assertRejects(() => reader.readLine(), Error, "limit");
    output.writeEof();
    await reader.read();
  }));
