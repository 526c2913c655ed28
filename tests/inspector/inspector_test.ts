// The server behind the page: who may ask, and what it answers.
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  createTask,
  Event,
  getRunningLoop,
  InvalidStateError,
  type LoopSnapshot,
  run,
  type Task,
} from "../../mod.ts";
import { type Inspector, type InspectorOptions, startInspector } from "../../inspector/mod.ts";
import type { Message } from "../../inspector/_feed.ts";

/** Runs `body` with an inspector of its own. */
async function inspecting(
  body: (inspector: Inspector, ask: Ask) => Promise<void>,
  options: InspectorOptions = {},
): Promise<void> {
  await run(async () => {
    await using inspector = await startInspector({ ...options, print: () => {} });
    const url = new URL(inspector.url);
    await body(inspector, (path, init = {}) => {
      const { token = url.searchParams.get("token") ?? "", ...rest } = init;
      const [name, more = ""] = path.split("?");
      return fetch(`${url.origin}/${name}?token=${token}&${more}`, rest);
    });
  });
}

/** Asks for a path. */
type Ask = (path: string, init?: RequestInit & { token?: string }) => Promise<Response>;

/** Asks as `fetch` does not let us: with a `Host` of our choice. Gives the status. */
async function statusWithHost(inspector: Inspector, host: string): Promise<string> {
  const url = new URL(inspector.url);
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: Number(url.port) });
  const request =
    `GET /snapshot${url.search} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  await socket.write(new TextEncoder().encode(request));
  const answer = await new Response(socket.readable).text();
  return answer.split(" ", 2)[1] ?? "";
}

Deno.test("startInspector() prints a URL with a token, and shows the loop as JSON", async () => {
  const printed: string[] = [];
  await run(async () => {
    await using inspector = await startInspector({ print: (text) => void printed.push(text) });
    assertEquals(printed, [`Inspector: ${inspector.url}`]);
    assertMatch(inspector.url, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{48}$/);
    createTask(() => new Event().wait(), { name: "waiter" });
    const response = await fetch(inspector.url.replace("/?", "/snapshot?"));
    const { tasks, measuredSince }: LoopSnapshot = await response.json();
    const waiter = tasks.find((task) => task.name === "waiter");
    assertEquals(waiter?.waitsFor, ["event.wait of Event (unset, 1 waiting)"]);
    assert(measuredSince !== null);
  });
});

Deno.test("startInspector() gives a page that loads nothing from elsewhere", () =>
  inspecting(async (_inspector, ask) => {
    const response = await ask("");
    const page = await response.text();
    assertMatch(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assertEquals(response.headers.get("access-control-allow-origin"), null);
    const loaded = page.match(/(src|href)="(?!data:)[^"]*"|@import|url\(/g);
    assertEquals(loaded, null);
  }));

for (const path of ["", "snapshot", "events", "nothing"]) {
  Deno.test(`a wrong token is refused for "/${path}", and so are none and a part of it`, () =>
    inspecting(async (inspector, ask) => {
      const token = new URL(inspector.url).searchParams.get("token") ?? "";
      for (const wrong of ["", "x", token.slice(0, -1), `${token}0`, token.toUpperCase() + "Z"]) {
        const response = await ask(path, { token: wrong });
        assertEquals([response.status, await response.text()], [
          403,
          "Cannot show the program: the token is not right\n",
        ]);
      }
    }));
}

Deno.test("a wrong Host is refused, and those of this machine are not", () =>
  inspecting(async (inspector) => {
    const { port } = new URL(inspector.url);
    assertEquals(await statusWithHost(inspector, `localhost:${port}`), "200");
    assertEquals(await statusWithHost(inspector, `127.0.0.1:${port}`), "200");
    assertEquals(await statusWithHost(inspector, `evil.example:${port}`), "403");
    assertEquals(await statusWithHost(inspector, "127.0.0.1:1"), "403");
  }));

Deno.test("requests that are no URL, and names that only look like ours, are refused", () =>
  inspecting(async (inspector) => {
    const { port } = new URL(inspector.url);
    const hosts = [
      "",
      `localhost:${port}.evil.example`,
      `127.0.0.1:${port}@evil.example`,
      `localhost.:${port}`,
      "127.0.0.1",
      "[::1",
    ];
    for (const host of hosts) assertEquals(await statusWithHost(inspector, host), "403", host);
  }));

Deno.test("close() ends in time, and is not held up by a page that takes nothing", async () => {
  const sockets: Deno.Conn[] = [];
  await run(async () => {
    await using inspector = await startInspector({ print: () => {} });
    const { port, host, search } = new URL(inspector.url);
    const tasks = Array.from(
      { length: 3_000 },
      (_, index) => createTask(() => new Event().wait(), { name: `${index}`.padStart(400, "x") }),
    );
    for (let count = 0; count < 5; count += 1) {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      sockets.push(socket);
      const request = `GET /events${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      await socket.write(new TextEncoder().encode(request));
      await socket.read(new Uint8Array(1));
    }
    for (const task of tasks) task.cancel();
  });
  for (const socket of sockets) socket.close();
});

Deno.test("more pages than fifty are refused", () =>
  inspecting(async (_inspector, ask) => {
    const pages = await Promise.all(Array.from({ length: 51 }, () => ask("events")));
    const statuses = pages.map((page) => page.status).sort();
    assertEquals([statuses[49], statuses[50]], [200, 503]);
    for (const page of pages) await page.body?.cancel();
  }));

Deno.test("a page is sent the beginning of a name that is very long, whatever is in it", () =>
  inspecting(async (_inspector, ask) => {
    const names = [
      "</script><img onerror=x>",
      "data: a\n\nevent: b",
      "\ud800",
      "y".repeat(1 << 20),
    ];
    const tasks = names.map((name) => createTask(() => new Event().wait(), { name }));
    const messages = readMessages(await ask("events"));
    const { value } = await messages.next();
    const sent = (value?.set.tasks ?? []).map((task) => (task as { name: string }).name);
    assertEquals(sent.slice(1, 4), names.slice(0, 3));
    assertEquals(sent[4], `${"y".repeat(500)}…`);
    await messages.return(undefined);
    for (const task of tasks) task.cancel();
  }));

Deno.test("a request of another page is refused", () =>
  inspecting(async (inspector, ask) => {
    const { origin } = new URL(inspector.url);
    for (const [given, status] of [[origin, 200], ["http://evil.example", 403], ["null", 403]]) {
      const response = await ask("snapshot", { headers: { origin: String(given) } });
      await response.body?.cancel();
      assertEquals(response.status, status);
    }
  }));

for (const control of [true, false]) {
  Deno.test(`a task ${control ? "is" : "cannot be"} cancelled ${control ? "with" : "without"} control`, () =>
    inspecting(async (_inspector, ask) => {
      const waiter: Task<unknown> = createTask(() => new Event().wait(), { name: "waiter" });
      const ended = waiter.then(() => "finished", () => "cancelled");
      const { tasks }: LoopSnapshot = await (await ask("snapshot")).json();
      const id = tasks.find((task) => task.name === "waiter")?.id;
      const response = await ask(`cancel?task=${id}`, { method: "POST" });
      assertEquals([response.status, (await response.text()).trim()], [
        control ? 200 : 403,
        control ? "asked" : "Cannot cancel a task: the inspector has no control",
      ]);
      if (!control) return void waiter.cancel();
      assertEquals(await ended, "cancelled");
      const gone = await ask("cancel?task=987654", { method: "POST" });
      assertEquals([gone.status, await gone.text()], [404, "Cannot cancel a task: it has ended\n"]);
    }, { control }));
}

Deno.test("other methods and paths are refused", () =>
  inspecting(async (_inspector, ask) => {
    for (const [path, method, status] of [["", "DELETE", 405], ["nothing", "GET", 404]] as const) {
      const response = await ask(path, { method });
      await response.body?.cancel();
      assertEquals(response.status, status);
    }
  }));

Deno.test("events send all there is first, and then what has changed", () =>
  inspecting(async (_inspector, ask) => {
    createTask(() => new Event().wait(), { name: "first" });
    const response = await ask("events");
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const messages = readMessages(response);
    const whole = await messages.next();
    assert(whole.value !== undefined && whole.value.whole);
    const names = (message: Message | undefined) =>
      (message?.set.tasks ?? []).map((task) => (task as { name: string }).name);
    assert(names(whole.value).includes("first"));
    const second = createTask(() => new Event().wait(), { name: "second" });
    let change: Message;
    do {
      change = (await messages.next()).value as Message;
    } while (!names(change).includes("second"));
    assertEquals([change.whole, names(change).includes("first")], [false, false]);
    const [{ id }] = change.set.tasks?.slice(-1) as [{ id: number }];
    second.cancel();
    do {
      change = (await messages.next()).value as Message;
    } while (change.gone.tasks?.includes(id) !== true);
    await messages.return(undefined);
  }));

/** Goes over the messages of a stream of events. */
async function* readMessages(response: Response): AsyncGenerator<Message, void, undefined> {
  let text = "";
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const parts = (text + piece).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) yield JSON.parse(part.replace("data: ", ""));
  }
}

Deno.test("an inspector that is closed measures no longer, and ends what is open", async () => {
  await run(async () => {
    const inspector = await startInspector({ print: () => {} });
    const loop = getRunningLoop();
    assertEquals(loop.getMeasuring(), true);
    const response = await fetch(inspector.url.replace("/?", "/events?"));
    await inspector.close();
    await response.text();
    assertEquals(loop.getMeasuring(), false);
    await inspector.close();
  });
});

Deno.test("startInspector() needs a loop that is open, and options that it knows", async () => {
  assertThrows(() => startInspector(), InvalidStateError);
  assertThrows(() => startInspector({ host: "x" } as never), TypeError, `"hostname"`);
  await run(() => {
    assertThrows(() => startInspector({ port: "80" as never }), TypeError, "port");
  });
});
