import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page, Route } from "playwright-core";
import type { TransferList } from "../../src/api/transfers.ts";
import { assembleTorrent } from "../../src/metainfo/assemble-torrent.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
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

test("a transfer shows its files, peers, trackers and log; a file is renamed on the disk, a priority holds", async () => {
  const { page, complaints } = await open();
  const made = makeSimTorrent({
    random: seededRandom(7),
    name: "talk.webm",
    size: 400_000,
    pieceLength: 16_384,
    kind: "v1",
  });
  const content = path.join(hub.folder, "content");
  await mkdir(content);
  await writeFile(path.join(content, "talk.webm"), made.bytes);
  const { info } = made.metainfo;
  const trackers = [["http://127.0.0.1:9/announce/secret"]];
  const file = assembleTorrent({ infoBytes: info.infoBytes, pieceLayers: new Map(), trackers });
  const added = await page
    .context()
    .request.post(`${hub.origin}/api/v1/transfers/torrent?folder=${encodeURIComponent(content)}`, {
      headers: { origin: hub.origin, "content-type": "application/x-bittorrent" },
      data: Buffer.from(file),
    });
  assert.equal(added.status(), 201, await added.text());
  await page.getByRole("link", { name: "talk.webm" }).click();
  await page.getByText("Nobody asks for it at the moment.").waitFor();
  await page.locator(".plot canvas").waitFor();
  await page.getByText("25 here").waitFor();
  await page.getByRole("link", { name: "Files" }).click();
  const row = page.getByRole("row", { name: "talk.webm" });
  await row.getByRole("link", { name: "Play" }).waitFor();
  await row.getByLabel("Priority of talk.webm").selectOption("high");
  await row.getByRole("button", { name: "Rename" }).click();
  await page.getByLabel("Name", { exact: true }).fill("opening.webm");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await page.getByRole("row", { name: "opening.webm" }).waitFor();
  assert.equal(await page.getByLabel("Priority of opening.webm").inputValue(), "high");
  assert.deepEqual(await readdir(content), ["opening.webm"]);
  await page.getByRole("link", { name: "Peers" }).click();
  await page.getByText("Nobody is connected at the moment.").waitFor();
  assert.equal(
    await page.getByRole("table", { name: "What the words mean" }).getByRole("row").count(),
    5,
  );
  await page.getByRole("link", { name: "Trackers" }).click();
  await page.getByRole("row", { name: "http://127.0.0.1:9" }).waitFor();
  // A passkey is in the path.
  assert.equal(await page.getByText("secret").count(), 0);
  await page.getByRole("link", { name: "Log", exact: true }).click();
  await page.getByText("It was added; its folder is").waitFor();
  assert.match(page.url(), /\/log$/);
  await page.goBack();
  await page.getByRole("heading", { name: "Trackers" }).waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("a map of 100,000 pieces is drawn", async () => {
  const { page } = await open();
  const have = new Uint8Array(12_500).map((_, index) => (index * 37) % 256);
  await page.route("**/api/v1/transfers/*/pieces", (route: Route) =>
    route.fulfill({
      json: {
        pieceCount: 100_000,
        pieceLength: 1_048_576,
        have: Buffer.from(have).toString("base64"),
        started: [5, 99_999],
        copies: Array.from({ length: 240 }, (_, index) => index % 7),
        rarest: { copies: 0, first: 7, last: 7 },
      },
    }),
  );
  await page.getByRole("link", { name: /webm/ }).first().click();
  await page.getByText("100,000 pieces of 1 MiB").waitFor();
  const ms = await page.evaluate<number>(
    "performance.getEntriesByName('piece map').at(-1).duration",
  );
  console.log(`a map of 100,000 pieces was drawn in ${ms.toFixed(1)} ms`);
  const colours = await page.evaluate<number>(`(() => {
    const { width, height } = document.querySelector("canvas.strip");
    const { data } = document.querySelector("canvas.strip").getContext("2d").getImageData(0, 0, width, height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
  })()`);
  assert.ok(colours > 0, "something is drawn");
  await page.context().close();
});
