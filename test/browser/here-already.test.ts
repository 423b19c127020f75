import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium, openPage, outsideName } from "./chromium.ts";
import { RealHub } from "./real-hub.ts";
import { choose, Line, makeFolder, publish, signIn } from "./steps.ts";

const MIB = 1024 * 1024;
let browser: Browser;
let hub: RealHub;
let folder: string;

before(async () => {
  browser = await launchChromium();
  hub = await RealHub.create(true);
  folder = await mkdtemp(path.join(tmpdir(), "everseed-here-"));
});
after(async () => {
  await browser.close();
  await hub.remove();
  await rm(folder, { recursive: true, force: true });
});

async function openPublish(from = browser, origin = hub.origin) {
  const watched = await openPage(from);
  await signIn(watched.page, { origin } as RealHub);
  return watched;
}

/** Publishes a folder whose order on the hub differs from that on the disk. @returns The path of its page. */
async function publishFolder(page: Page, name: string): Promise<string> {
  await makeFolder(path.join(folder, name), {
    "b.bin": 9 * MIB + 7,
    "a/второй.bin": 300_001,
    "ab.bin": 1,
    "a b.bin": 70_000,
    "empty.txt": 0,
  });
  await choose(page, "Folder", path.join(folder, name));
  await publish(page);
  return new URL(page.url()).pathname;
}

function countUploads(page: Page): { requests: number } {
  const sent = { requests: 0 };
  page.on("request", (request) => {
    if (request.method() === "PATCH") sent.requests += 1;
  });
  return sent;
}

async function assertHere(page: Page, first: string): Promise<void> {
  await page.getByRole("heading", { name: "This is here already" }).waitFor();
  const link = page.getByRole("link", { name: "Go to its page" });
  assert.equal(await link.getAttribute("href"), first);
}

for (const [where, secure] of [
  ["loopback", true],
  ["a plain http address, where the browser lends no SHA-1", false],
] as const) {
  test(`MET-23: existing content is recognised before any byte is sent, from ${where}`, async () => {
    const own = await launchChromium();
    try {
      // Under this name the page does not come from loopback, so browsers deny it their own SHA-1.
      const origin = secure ? hub.origin : `http://${outsideName}:${hub.port}`;
      const { page, complaints } = await openPublish(own, origin);
      assert.equal(await page.evaluate("isSecureContext"), secure);
      const first = await publishFolder(page, `known ${secure}`);
      await page.goto(`${origin}/publish`);
      await (await Line.of(page)).slow(MIB);
      const sent = countUploads(page);
      await choose(page, "Folder", path.join(folder, `known ${secure}`));
      await page.waitForTimeout(secure ? 500 : 1500);
      await page.getByRole("button", { name: "Publish", exact: true }).click();
      await assertHere(page, first);
      assert.equal(sent.requests, 0);
      assert.deepEqual(await readdir(path.join(hub.folder, "data/uploads")), []);
      // Chromium reports that such an address cannot be isolated from other sites.
      const known = /Cross-Origin-Opener-Policy header has been ignored/;
      assert.deepEqual(
        complaints.filter((complaint) => secure || !known.test(complaint)),
        [],
      );
    } finally {
      await own.close();
    }
  });
}

test("MET-23: the form reports existing content for each kind, and its page is one click away", async () => {
  const { page, complaints } = await openPublish();
  const sent = countUploads(page);
  const form = page.locator("form.card");
  const note = form.getByText("This is here already");
  const setKind = async (kind: string) => {
    await page.getByText("More: description").click();
    await page.getByLabel("Kind").selectOption(kind);
  };
  for (const kind of ["v1", "hybrid", "v2"]) {
    await makeFolder(path.join(folder, `told ${kind}`), {
      "b.bin": 2 * MIB + 7,
      "a/второй.bin": 300_001,
      "a b.bin": 70_000,
      "empty.txt": 0,
    });
    await page.goto(`${hub.origin}/publish`);
    await choose(page, "Folder", path.join(folder, `told ${kind}`));
    await setKind(kind);
    await publish(page);
    const first = new URL(page.url()).pathname;
    sent.requests = 0;
    await page.goto(`${hub.origin}/publish`);
    await choose(page, "Folder", path.join(folder, `told ${kind}`));
    await setKind(kind);
    await note.waitFor();
    await page.getByLabel("Private").check();
    await note.waitFor({ state: "detached" });
    await page.getByLabel("Private").uncheck();
    await form.getByRole("link", { name: "Go to its page" }).click();
    await page.waitForURL(/\/t\//);
    assert.equal(new URL(page.url()).pathname, first);
    assert.equal(sent.requests, 0);
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("MET-23: an upload that has begun ends when the content turns out to exist; its link leads there", async () => {
  const { page, complaints } = await openPublish();
  const first = await publishFolder(page, "late");
  await page.goto(`${hub.origin}/publish`);
  const hold = Promise.withResolvers<void>();
  await page.route("**/pieces", async (route) => {
    await hold.promise;
    await route.continue();
  });
  await (await Line.of(page)).slow(MIB);
  await choose(page, "Folder", path.join(folder, "late"));
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(/iB\/s · .* left/).waitFor();
  const link = await page.locator(".copy code").innerText();
  hold.resolve();
  await assertHere(page, first);
  await page.goto(link);
  assert.equal(new URL(page.url()).pathname, first);
  assert.deepEqual(await readdir(path.join(hub.folder, "data/uploads")), []);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("new content is not delayed, and the form says nothing about it", async () => {
  const { page, complaints } = await openPublish();
  await makeFolder(path.join(folder, "new"), { "new.bin": 3 * MIB });
  await choose(page, "Files", path.join(folder, "new/new.bin"));
  await publish(page);
  assert.equal(await page.locator("h1").innerText(), "new.bin");
  assert.deepEqual(complaints, []);
  await page.context().close();
});
