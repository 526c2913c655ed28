// The page of the inspector, in Chromium. One browser serves all tests; each has a page of its own.
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Browser, Page } from "playwright-core";
import { chromium } from "./_playwright.ts";
import { createTask, Event, getRunningLoop, run, sleep, taskGroup } from "../../mod.ts";
import { type InspectorOptions, startInspector } from "../../inspector/mod.ts";
import { simulate, Trace } from "../../simulation/mod.ts";
import {
  plantBusyTask,
  plantDeadlock,
  plantGrowingQueue,
  plantPausedConnection,
} from "../inspector/_programs.ts";

const CHROMIUM = "/usr/bin/chromium";

/** Whether Debian's browser is there; `.ci/run` installs it. */
function isMissing(): boolean {
  try {
    return !Deno.statSync(CHROMIUM).isFile;
  } catch {
    return true;
  }
}

if (isMissing()) console.warn(`Skipping the tests of the page: there is no ${CHROMIUM}`);

/** Runs `body` with a page that shows its program. Fails if the page logs an error. */
async function showing(
  browser: Browser,
  body: (page: Page, url: string) => Promise<void>,
  options: InspectorOptions = {},
  colorScheme: "light" | "dark" = "light",
): Promise<void> {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 720 } });
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  try {
    await run(async () => {
      await using inspector = await startInspector({ ...options, print: () => {} });
      await page.goto(inspector.url);
      await body(page, inspector.url);
      assertEquals(errors, []);
      await page.close();
    });
  } finally {
    await page.close();
  }
}

/** The names of the tasks that are shown. */
async function shownTasks(page: Page): Promise<string[]> {
  const texts = await page.locator("#panel-tasks .row:visible .name").allTextContents();
  return texts.map((text) => text.replace(/^[ │├└─]+/, ""));
}

Deno.test({
  name: "the page of the inspector",
  ignore: isMissing(),
  // Playwright holds pipes and timers of the browser, which is closed at the end.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox"],
      env: { HOME: "/tmp", PATH: "/usr/bin:/bin" },
    });
    try {
      await t.step(
        "shows tasks as a tree, filters them, and tells of the one that is picked",
        () =>
          showing(browser, async (page) => {
            createTask(async () => {
              await taskGroup((group) => {
                group.createTask(() => new Event().wait(), { name: "worker-1" });
                group.createTask(() => sleep(3600), { name: "worker-2" });
              });
            }, { name: "crew" });
            await page.waitForSelector("text=worker-2");
            const names = await shownTasks(page);
            assertEquals(names.slice(names.indexOf("crew")), ["crew", "worker-1", "worker-2"]);
            await page.keyboard.press("/");
            await page.keyboard.type("event.wait");
            assertEquals(await shownTasks(page), ["worker-1"]);
            await page.keyboard.press("Escape");
            await page.click("#panel-tasks .row:has-text('worker-1')");
            const detail = await page.textContent("#detail");
            assert(detail?.includes("event.wait of Event (unset, 1 waiting)"), detail ?? "");
            assert(detail?.includes("awaited bycrew"), detail ?? "");
          }),
      );

      await t.step(
        "warns of a deadlock, a busy task, a paused connection, a queue that grows",
        () =>
          showing(browser, async (page) => {
            await page.waitForSelector("#dot.live");
            // What the page was sent counts: a machine that is busy with others sends it late.
            await page.evaluate(`{
              const usual = apply;
              globalThis.seen = {};
              globalThis.late = 0;
              let before = performance.now();
              apply = (message) => {
                usual(message);
                const now = performance.now();
                late += Math.max(0, now - before - 250);
                before = now;
                for (const { kind } of state.lists.warnings ?? []) seen[kind] ??= now - late;
              };
              globalThis.began = before;
            }`);
            plantDeadlock();
            plantBusyTask();
            plantGrowingQueue();
            await plantPausedConnection();
            await page.click("#tab-warnings");
            for (const kind of ["circle", "slow", "queue", "paused"]) {
              await page.waitForSelector(`[data-kind=${kind}]`, { timeout: 20_000 });
              const told = await page.evaluate<number>(`seen["${kind}"] - began`);
              assert(told <= 2000, `${kind} was told after ${told} ms`);
            }
            const text = await page.textContent("#warnings");
            assert(
              text?.includes(`Tasks "ann" and "bob" wait for each other in a circle`),
              text ?? "",
            );
            assert(text?.includes(`Task "busy bee" held up everybody else`), text ?? "");
            await page.click("#tab-connections");
            await page.waitForSelector("td.flag:has-text('writing paused')");
          }),
      );

      for (const control of [true, false]) {
        const title = control ? "cancels a task with control" : "has no button without control";
        await t.step(title, () =>
          showing(browser, async (page) => {
            const waiter = createTask(() => new Event().wait(), { name: "waiter" });
            const ended = waiter.then(() => "finished", () => "cancelled");
            await page.click("#panel-tasks .row:has-text('waiter')");
            await page.waitForSelector("#detail h2");
            assertEquals(await page.locator("#cancel").count(), control ? 1 : 0);
            if (!control) return void waiter.cancel();
            await page.click("#cancel");
            assertEquals(await ended, "cancelled");
            await page.click("#tab-ended");
            await page.waitForSelector("tr:has-text('waiter') .cancelled");
          }, { control }));
      }

      await t.step(
        "scrolls through 10,000 tasks, and draws those alone that are seen",
        () =>
          showing(browser, async (page) => {
            for (let index = 0; index < 10_000; index += 1) {
              createTask(() => new Event().wait(), { name: `sleeper-${index}` });
            }
            await page.waitForSelector("text=sleeper-0");
            assert(await page.locator(".row").count() < 80);
            const usual = await page.evaluate<number>(`(async () => {
            const list = document.querySelector(".list");
            const times = [];
            for (let step = 0; step < 20; step += 1) {
              const start = performance.now();
              list.scrollTop = step * 12000;
              list.dispatchEvent(new Event("scroll"));
              times.push(performance.now() - start);
              await new Promise((resolve) => requestAnimationFrame(resolve));
            }
            return times.sort((a, b) => a - b)[10];
          })()`);
            assert(usual < 50, `A step took ${usual} ms`);
            await page.keyboard.press("End");
            await page.waitForSelector("text=sleeper-9999");
          }),
      );

      await t.step(
        "opens the trace of a simulation as a file",
        () =>
          showing(browser, async (page) => {
            const trace = new Trace();
            await simulate(() => sleep(1), { seed: 3, trace });
            const buffer = Buffer.from(String(trace));
            await page.click("#tab-trace");
            await page.setInputFiles("#file", {
              name: "failed.trace",
              mimeType: "text/plain",
              // deno-lint-ignore no-explicit-any -- Playwright asks for Node's class.
              buffer: buffer as any,
            });
            await page.waitForSelector(`text=failed.trace, ${trace.lines.length} events`);
            assert(await page.locator("#panel-trace .row:visible").count() > 0);
          }),
      );

      for (const scheme of ["light", "dark"] as const) {
        await t.step(`is ${scheme} where the system is`, () =>
          showing(
            browser,
            async (page) => {
              const background = () =>
                page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
              const [light, dark] = ["rgb(247, 247, 245)", "rgb(20, 22, 26)"];
              assertEquals(await background(), scheme === "dark" ? dark : light);
              await page.keyboard.press("t");
              assertEquals(await background(), scheme === "dark" ? light : dark);
            },
            {},
            scheme,
          ));
      }

      await t.step("says that the program has ended, and a wrong token shows nothing", async () => {
        const page = await browser.newPage();
        await run(async () => {
          await using inspector = await startInspector({ print: () => {}, loop: getRunningLoop() });
          const wrong = await page.goto(inspector.url.replace(/token=.*/, "token=0"));
          assertEquals(wrong?.status(), 403);
          await page.goto(inspector.url);
          await page.waitForSelector("#dot.live");
        });
        await page.waitForSelector("#silence:has-text('has ended')");
        await page.close();
      });
    } finally {
      await browser.close();
    }
  },
});
