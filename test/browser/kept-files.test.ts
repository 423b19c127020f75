import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium, openPage } from "./chromium.ts";
import { RealHub } from "./real-hub.ts";
import { Line, makeFolder, signIn } from "./steps.ts";

const MIB = 1024 * 1024;
let browser: Browser;
let hub: RealHub;
let folder: string;

before(async () => {
  browser = await launchChromium();
  hub = await RealHub.create(true);
  folder = await mkdtemp(path.join(tmpdir(), "everseed-kept-"));
});
after(async () => {
  await browser.close();
  await hub.remove();
  await rm(folder, { recursive: true, force: true });
});

/**
 * A test cannot press buttons of the browser's own dialogs. They return files of the page's private folder instead,
 * whose handles work like all others, but never ask for permission.
 */
const DIALOGS = `
  const rootOf = () => navigator.storage.getDirectory();
  globalThis.showDirectoryPicker = async () => (await rootOf()).getDirectoryHandle("talks");
  globalThis.showOpenFilePicker = async () => [await (await rootOf()).getFileHandle("talk.bin")];
`;
const MAKE_FILES = `(async () => {
  const root = await navigator.storage.getDirectory();
  const write = async (folder, name, bytes) => {
    const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
    const content = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 65536) crypto.getRandomValues(content.subarray(at, at + 65536));
    await file.write(content);
    await file.close();
  };
  const talks = await root.getDirectoryHandle("talks", { create: true });
  await write(talks, "a.bin", 9 * ${MIB});
  await write(await talks.getDirectoryHandle("deep", { create: true }), "b.bin", ${MIB} + 5);
  await write(root, "talk.bin", 9 * ${MIB} + 1);
})()`;

async function openPublish() {
  const watched = await openPage(browser);
  await watched.page.addInitScript(DIALOGS);
  await signIn(watched.page, hub);
  await watched.page.evaluate(MAKE_FILES);
  return watched;
}

/** Begins an upload on a slow line and reloads the page in the middle. @returns The line, which is slow still. */
async function breakOff(page: Page): Promise<Line> {
  const line = await Line.of(page);
  await line.slow(3 * MIB);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(/^[4-9]\.\d MiB of .* are safe/).waitFor();
  await page.reload();
  return line;
}

for (const [what, button] of [
  ["a folder", "Choose a folder"],
  ["a file", "Choose files"],
] as const) {
  test(`after a reload ${what} continues without being chosen again`, async () => {
    const { page, complaints } = await openPublish();
    await page.getByText("You can close the page and come back:").waitFor();
    await page.getByRole("button", { name: button }).click();
    await page.getByLabel("Title").fill(`kept ${what}`);
    const line = await breakOff(page);
    complaints.length = 0;
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText(/Found again: [4-9]/).waitFor();
    await line.free();
    await page.waitForURL(/\/t\//);
    assert.equal(await page.locator("h1").innerText(), `kept ${what}`);
    const kept = `new Promise((resolve) => {
      const opening = indexedDB.open("everseed");
      opening.onsuccess = () => {
        const all = opening.result.transaction("handles").objectStore("handles").count();
        all.onsuccess = () => resolve(all.result);
      };
    })`;
    assert.equal(await page.evaluate(kept), 0, "nothing is kept of what has ended");
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
}

test("the page of an upload leads back to it, and offers the files of the last time", async () => {
  const { page } = await openPublish();
  await page.getByRole("button", { name: "Choose files" }).click();
  await page.getByLabel("Title").fill("by its page");
  await page.getByLabel("Title").waitFor();
  const line = await Line.of(page);
  await line.slow(3 * MIB);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(/^[4-9]\.\d MiB of .* are safe/).waitFor();
  await page.goto(await page.locator(".copy code").innerText());
  await line.free();
  await page.getByRole("link", { name: "Go on uploading" }).click();
  await page.getByRole("button", { name: "Use the files of last time" }).click();
  await page.waitForURL(/\/t\//);
  await page.getByRole("heading", { name: "Health" }).waitFor();
  await page.context().close();
});

test("a file that changed meanwhile is not used, and a browser without handles says so", async () => {
  const { page } = await openPublish();
  await page.getByRole("button", { name: "Choose files" }).click();
  await page.getByLabel("Title").fill("changed");
  const line = await breakOff(page);
  await line.free();
  await page.evaluate(`(async () => {
    const root = await navigator.storage.getDirectory();
    const file = await (await root.getFileHandle("talk.bin")).createWritable();
    await file.write(new Uint8Array(5));
    await file.close();
  })()`);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByText("These are not the same files").waitFor();
  await page.context().close();

  const without = await openPage(browser);
  await without.page.addInitScript("delete globalThis.showOpenFilePicker");
  await signIn(without.page, hub);
  await without.page.getByText("come back and choose the same files again").waitFor();
  await makeFolder(path.join(folder, "old"), { "old.bin": 1000 });
  const chooser = without.page.waitForEvent("filechooser");
  await without.page.getByRole("button", { name: "Choose files" }).click();
  await (await chooser).setFiles(path.join(folder, "old/old.bin"));
  await without.page.getByLabel("Title").waitFor();
  assert.equal(await without.page.getByLabel("Title").inputValue(), "old.bin");
  await without.page.context().close();
});
