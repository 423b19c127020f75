import { AxeBuilder } from "@axe-core/playwright";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

/** Debian's browser; `tools/peers.sh` installs it. */
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** A name that means this machine in the browser, and that a real hub answers to; pages do not know that. */
export const outsideName = "hub.example";

export async function launchChromium(): Promise<Browser> {
  const rules = `--host-resolver-rules=MAP ${outsideName} 127.0.0.1`;
  return chromium.launch({ executablePath, args: ["--no-sandbox", rules] });
}

/** A tab that records everything a page must not do. */
export interface WatchedPage {
  readonly page: Page;
  /** Violations of the security policy, script errors, unexpected dialogs. */
  readonly complaints: string[];
}

export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`script: ${error.message}`));
  page.on("console", (message) => {
    // A refused resource and a policy violation both appear as errors; a missing answer is for the page to report.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.type()} ${dialog.message()}`);
    void dialog.accept();
  });
  return { page, complaints };
}

/** @returns The number of pixels by which the page is wider than its window. */
export async function sidewaysPixels(page: Page): Promise<number> {
  return page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
}

/** @returns What shuts people out of the page, by the rules of axe. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Not the default mode, which opens a second page for each: that is for frames, and no page has one.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
  const { violations } = await axe.analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
}
