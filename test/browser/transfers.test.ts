import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page, Route } from "playwright-core";
import type { TransferList } from "../../src/api/transfers.ts";
import { transfer } from "../../web/fixtures/transfers.ts";
import { launchChromium, openPage, seriousFindings, sidewaysPixels } from "./chromium.ts";
import { RealHub } from "./real-hub.ts";
import { signIn } from "./steps.ts";

// The page of a node's transfers in a real browser: one hub and one browser for all of it.

const MAGNET = `magnet:?xt=urn:btih:${"ab".repeat(20)}&dn=harbour+talks`;
const LIST_PATH = "**/api/v1/transfers?after=*";
const BATCH_PATH = "**/api/v1/transfers/batch";

let browser: Browser;
let hub: RealHub;

before(async () => {
  browser = await launchChromium();
  hub = await RealHub.create(true);
});
after(async () => {
  await browser.close();
  await hub.remove();
});

async function open(options = {}): Promise<{ page: Page; complaints: string[] }> {
  const opened = await openPage(browser, options);
  await signIn(opened.page, hub, "/transfers");
  return opened;
}

/** As if a person had copied `text` and pressed Ctrl+V with nothing in focus. */
async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate(`{
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", ${JSON.stringify(text)});
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
  }`);
}

test("a pasted magnet link is added; pausing shows at once, and is put back when it failed", async () => {
  const { page, complaints } = await open();
  await page.getByRole("heading", { name: "No transfers yet" }).waitFor();
  await paste(page, MAGNET);
  const dialog = page.getByRole("dialog");
  assert.equal(await dialog.getByLabel("Magnet link").inputValue(), MAGNET);
  await dialog.getByLabel("Label").fill("talks");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  const row = page.getByRole("row", { name: "harbour talks" });
  await row.getByText("Finding details").waitFor();

  let answer: (() => void) | undefined;
  await page.route(BATCH_PATH, async (route: Route) => {
    await new Promise<void>((resolve) => (answer = resolve));
    await route.fulfill({
      status: 500,
      json: { error: { code: "internal", message: "It broke." } },
    });
  });
  await row.getByRole("button", { name: "Pause" }).click();
  await row.getByText("Paused").waitFor();
  answer!();
  await page.getByRole("alert").getByText("It broke.").waitFor();
  await row.getByText("Finding details").waitFor();
  await page.unroute(BATCH_PATH);

  // With the keyboard: the focus on the name, then Space.
  await page.keyboard.press("j");
  await page.keyboard.press("Space");
  await row.getByText("Stopped by you.").waitFor();
  await page.reload();
  await row.getByText("Stopped by you.").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("what was removed can be brought back for ten seconds; then it is gone", async () => {
  const { page } = await open();
  const row = page.getByRole("row", { name: "harbour talks" });
  const remove = async (): Promise<void> => {
    await row.getByRole("link", { name: "harbour talks" }).focus();
    await page.keyboard.press("Delete");
    await page.getByRole("button", { name: "Remove, keep the files" }).click();
    await row.waitFor({ state: "detached" });
  };
  await remove();
  await page.getByRole("button", { name: /Undo/ }).click();
  await row.waitFor();
  await remove();
  // Leaving the page carries out what waits.
  await page.goto(`${hub.origin}/help`);
  await page.goto(`${hub.origin}/transfers`);
  await page.getByRole("heading", { name: "No transfers yet" }).waitFor();
  await page.context().close();
});

test("without a script a transfer is added, paused and removed by plain forms", async () => {
  const { page } = await open({ javaScriptEnabled: false });
  await page.getByLabel("Magnet link").fill("nonsense");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  assert.match(await page.locator("#problem").innerText(), /magnet/);
  await page.getByLabel("Magnet link").fill(MAGNET);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("heading", { name: "harbour talks" }).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Stopped by you.").waitFor();
  await page.goto(`${hub.origin}/transfers`);
  await page.getByRole("button", { name: "Resume harbour talks" }).click();
  await page.getByRole("button", { name: "Pause harbour talks" }).waitFor();
  await page.getByRole("link", { name: "harbour talks" }).click();
  await page.getByRole("button", { name: "Remove, keep the files" }).click();
  await page.getByRole("heading", { name: "No transfers yet" }).waitFor();
  await page.context().close();
});

test("5,000 transfers scroll: only the rows in the window exist", async () => {
  const { page, complaints } = await open();
  const all = Array.from({ length: 5_000 }, (_, index) => transfer(index));
  await page.route(LIST_PATH, async (route: Route) => {
    const after = Number(new URL(route.request().url()).searchParams.get("after"));
    const list: TransferList = {
      transfers: all.slice(after, after + 1_000),
      next: after + 1_000 < all.length ? after + 1_000 : null,
      counts: { all: all.length, finished: all.length, stopped: 0 },
    };
    await route.fulfill({ json: list });
  });
  await page.reload();
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await page
      .getByText("All 5,000")
      .or(page.getByRole("option", { name: "All 5,000" }))
      .first()
      .waitFor({ state: "attached" });
    assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), "5001");
    const took = await page.evaluate<{ rowsMost: number; medianMs: number }>(`(async () => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      let rowsMost = 0;
      const steps = [];
      const end = document.documentElement.scrollHeight;
      for (let at = 0; at < end; at += end / 20) {
        const beganMs = performance.now();
        scrollTo(0, at);
        await frame();
        await frame();
        steps.push(performance.now() - beganMs);
        rowsMost = Math.max(rowsMost, document.querySelectorAll("tr[data-id]").length);
      }
      return { rowsMost, medianMs: steps.toSorted((a, b) => a - b)[10] };
    })()`);
    console.log(`5,000 transfers at ${width} px:`, took);
    assert.ok(took.rowsMost < 60, String(took.rowsMost));
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    await page.getByRole("link", { name: "transfer 4999" }).waitFor();
    assert.equal(await sidewaysPixels(page), 0);
  }
  await page.getByRole("combobox", { name: "Show" }).first().waitFor();
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("searchbox").fill("transfer 4321");
  await page.getByRole("link", { name: "transfer 4321" }).waitFor();
  assert.equal(await page.locator("tr[data-id]").count(), 1);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("an idle list costs less than 2 kB a second", async () => {
  const { page } = await open();
  const session = await page.context().newCDPSession(page);
  let bytes = 0;
  session.on("Network.dataReceived", ({ encodedDataLength, dataLength }) => {
    bytes += Math.max(encodedDataLength, dataLength);
  });
  await session.send("Network.enable");
  await page.waitForTimeout(1_500);
  bytes = 0;
  const seconds = 4;
  await page.waitForTimeout(seconds * 1_000);
  console.log(`idle traffic: ${bytes / seconds} bytes a second`);
  assert.ok(bytes / seconds < 2_000, String(bytes));
  await page.context().close();
});
