// Playwright under narrow permissions: it looks at files of the system that only `--allow-all` grants.
import fs from "node:fs";
import type { BrowserType } from "playwright-core";

const { existsSync } = fs;
// Whatever may not be looked at is not there, as Node has it.
fs.existsSync = (path) => {
  try {
    return existsSync(path);
  } catch {
    return false;
  }
};

/** The Chromium that Playwright drives. */
export const chromium: BrowserType = (await import("playwright-core")).chromium;
