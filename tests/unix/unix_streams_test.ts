// Streams over Unix sockets: openUnixConnection() and startUnixServer().
import { assertEquals, assertRejects } from "@std/assert";
import { LimitOverrunError, openUnixConnection, run, startUnixServer } from "../../mod.ts";
import { utf8 } from "../transports/_backend.ts";
import { freshPath } from "./_unix.ts";

Deno.test("startUnixServer() serves who comes with openUnixConnection()", async () => {
  const path = freshPath();
  await run(async () => {
    await using server = await startUnixServer(async (reader, writer) => {
      await using output = writer;
      for await (const line of reader) output.write(line);
    }, { path });
    assertEquals(server.addresses, [{ transport: "unix", path }]);

    const [reader, writer] = await openUnixConnection({ path });
    await using output = writer;
    output.writelines([utf8("one\n"), utf8("two\n")]);
    output.writeEof();
    assertEquals(await reader.read(), utf8("one\ntwo\n"));
  });
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
});

Deno.test("openUnixConnection() gives a reader with the limit that it is told", async () => {
  const path = freshPath();
  await run(async () => {
    await using _server = await startUnixServer(async (_, writer) => {
      await using output = writer;
      output.write(utf8("a long line\n"));
    }, { path });

    const [reader, writer] = await openUnixConnection({ path, limit: 4 });
    await using _output = writer;
    await assertRejects(async () => await reader.readLine(), LimitOverrunError);
  });
});

Deno.test("openUnixConnection() throws NotFound where there is nothing", async () => {
  const opening = run(() => openUnixConnection({ path: freshPath() }));
  await assertRejects(() => opening, Deno.errors.NotFound);
});
