import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium, openPage } from "./chromium.ts";
import { RealHub } from "./real-hub.ts";
import { fetchBytes, publishSmall, signIn } from "./steps.ts";

const from = "/publish?from=torrent";
let browser: Browser;
let hub: RealHub;
/** Another hub: its everseed is the swarm. */
let theirs: RealHub;
let folder: string;

before(async () => {
  browser = await launchChromium();
  [hub, theirs] = await Promise.all([RealHub.create(true), RealHub.create(true)]);
  folder = await mkdtemp(path.join(tmpdir(), "everseed-from-torrent-"));
});
after(async () => {
  await browser.close();
  await Promise.all([hub.remove(), theirs.remove()]);
  await rm(folder, { recursive: true, force: true });
});

/** The publications of the other hub. */
async function publishThere(name: string) {
  const { page } = await openPage(browser);
  await signIn(page, theirs);
  const id = await publishSmall(page, theirs, name);
  const answer = await page.request.get(`${theirs.origin}/api/v1/torrents/${id}`);
  const { magnet, infohashV1 } = (await answer.json()) as { magnet: string; infohashV1: string };
  const torrent = (await fetchBytes(page, `${theirs.origin}/t/${id}.torrent`)).body;
  const content = (await fetchBytes(page, `${theirs.origin}/t/${id}/files/0/${name}`)).body;
  await page.context().close();
  return { magnet, infohashV1, torrent, content };
}

async function assertPublished(
  page: Page,
  name: string,
  there: { infohashV1: string; content: Buffer },
) {
  await page.getByRole("heading", { name: "Health" }).waitFor();
  assert.equal(await page.locator("h1").innerText(), name);
  const { pathname } = new URL(page.url());
  const id = pathname.split("/")[2];
  const answer = await page.request.get(`${hub.origin}/api/v1/torrents/${id}`);
  assert.equal(((await answer.json()) as { infohashV1: string }).infohashV1, there.infohashV1);
  const here = await fetchBytes(page, `/t/${id}/files/0/${name}`);
  assert.ok(here.body.equals(there.content));
}

test("a magnet link is pasted; its page follows the fetch and becomes the torrent's without a reload", async () => {
  const there = await publishThere("by-magnet.txt");
  const { page, complaints } = await openPage(browser);
  await signIn(page, hub);
  await page.getByRole("link", { name: "I have a .torrent or magnet" }).click();
  await page.getByLabel("Magnet link or infohash").fill(there.magnet);
  await page.getByRole("button", { name: "Fetch it" }).click();
  await page.waitForURL(/\/t\/[0-9a-z]+\/by-magnet-txt$/);
  await assertPublished(page, "by-magnet.txt", there);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("a .torrent file is chosen, sent unchanged, and fetched; an invalid file is refused with a message", async () => {
  const there = await publishThere("by-file.txt");
  await writeFile(path.join(folder, "a.torrent"), there.torrent);
  await writeFile(path.join(folder, "broken.torrent"), "<html>sign in</html>");
  const { page } = await openPage(browser);
  await signIn(page, hub, from);
  await page.getByLabel("Or a .torrent file").setInputFiles(path.join(folder, "broken.torrent"));
  await page.getByRole("alert").getByText("This is no torrent").waitFor();
  await page.getByLabel("Or a .torrent file").setInputFiles(path.join(folder, "a.torrent"));
  await page.waitForURL(/\/t\//);
  await assertPublished(page, "by-file.txt", there);
  await page.context().close();
});

test("without JavaScript: paste a link, see that no peer has it yet, cancel after a confirmation", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await signIn(page, hub, from);
  assert.equal(await page.getByLabel("Or a .torrent file").isVisible(), false);
  const infohash = "0123456789abcdef0123456789abcdef01234567";
  await page.getByLabel("Magnet link or infohash").fill("0123");
  await page.getByRole("button", { name: "Fetch it" }).click();
  await page.getByText("This is not a usable magnet link").waitFor();
  assert.equal(await page.getByLabel("Magnet link or infohash").inputValue(), "0123");
  await page.getByLabel("Magnet link or infohash").fill(infohash);
  await page.getByRole("button", { name: "Fetch it" }).click();
  await page.getByRole("heading", { name: "Finding details" }).waitFor();
  await page.getByText("this hub has nobody to ask for it").waitFor();
  const address = page.url();
  const cancel = page.getByRole("button", { name: "Cancel and throw away" });
  assert.equal(await cancel.isVisible(), false, "it asks first");
  await page.goto(`${hub.origin}${from}`);
  await page.getByRole("link", { name: infohash }).click();
  await page.getByText("Cancel", { exact: true }).click();
  await cancel.click();
  await page.waitForURL(`${hub.origin}${from}`);
  assert.equal(await page.getByRole("link", { name: infohash }).count(), 0);
  assert.equal((await page.goto(address))?.status(), 404);
  await context.close();
});

test("a stranger with the link sees the progress, and no buttons", async () => {
  const { page: mine } = await openPage(browser);
  await signIn(mine, hub, from);
  const link = `magnet:?xt=urn:btih:${"ab".repeat(20)}&dn=Tides`;
  await mine.getByLabel("Magnet link or infohash").fill(link);
  await mine.getByRole("button", { name: "Fetch it" }).click();
  await mine.getByRole("heading", { name: "Finding details" }).waitFor();
  const { page } = await openPage(browser);
  await page.goto(mine.url());
  assert.equal(await page.locator("h1").innerText(), "Tides");
  await page.getByRole("heading", { name: "Finding details" }).waitFor();
  assert.equal(await page.getByText("Cancel").count(), 0);
  assert.equal(await page.getByText("abab").count(), 0, "no infohash");
  await mine.getByText("Cancel", { exact: true }).click();
  await mine.getByRole("button", { name: "Cancel and throw away" }).click();
  // Its page follows the events.
  await page.getByText("There is no such torrent").waitFor();
  await page.context().close();
  await mine.context().close();
});
