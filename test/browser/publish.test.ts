import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launchChromium, openPage, type WatchedPage } from "./chromium.ts";
import { RealHub } from "./real-hub.ts";
import { choose, drop, fetchBytes, Line, makeFolder, publish, signIn } from "./steps.ts";

const MIB = 1024 * 1024;
let browser: Browser;
let hub: RealHub;
let folder: string;

before(async () => {
  browser = await launchChromium();
  hub = await RealHub.create(true);
  folder = await mkdtemp(path.join(tmpdir(), "everseed-files-"));
});
after(async () => {
  await browser.close();
  await hub.remove();
  await rm(folder, { recursive: true, force: true });
});

async function openPublish(): Promise<WatchedPage> {
  const watched = await openPage(browser);
  await signIn(watched.page, hub);
  return watched;
}

test("PUB-4.1: from the setup link to the first publication with one form, one drop, one click", async () => {
  const fresh = await RealHub.create(false);
  const { page, complaints } = await openPage(browser);
  try {
    await page.goto(fresh.origin);
    assert.equal(new URL(page.url()).pathname, "/setup");
    assert.ok(await page.getByText("Setup is open on the terminal").isVisible());
    await page.goto(fresh.setupLink);
    assert.equal(await page.getByLabel("Setup key").isVisible(), false);
    assert.equal(page.url(), `${fresh.origin}/setup`, "the key left the address bar");
    await page.getByLabel("Your name").fill("ann");
    await page.getByLabel("Password", { exact: true }).fill("a harbour full of fog");
    await page.getByText("Strong").waitFor();
    await page.getByRole("button", { name: "Create and go on" }).click();
    await page.getByText("Three steps to the first link").waitFor();
    assert.equal(page.url(), `${fresh.origin}/publish?first`);

    const contents = await makeFolder(path.join(folder, "first"), { "talk.bin": 3 * MIB + 7 });
    await drop(page, [path.join(folder, "first/talk.bin")]);
    assert.equal(await page.getByLabel("Title").inputValue(), "talk.bin");
    await publish(page);

    assert.equal(await page.locator("h1").innerText(), "talk.bin");
    assert.ok(await page.getByText("So far the link works on this machine only").isVisible());
    const download = await page.getByRole("link", { name: /^Download/ }).getAttribute("href");
    const whole = await fetchBytes(page, download ?? "");
    assert.ok(whole.body.equals(contents.get("talk.bin")!));
    assert.match(whole.headers["content-disposition"] ?? "", /^attachment/);
    const part = await fetchBytes(page, download ?? "", { range: "bytes=100-199" });
    assert.equal(part.status, 206);
    assert.ok(part.body.equals(contents.get("talk.bin")!.subarray(100, 200)));
    const torrent = await page.getByRole("link", { name: ".torrent" }).getAttribute("href");
    assert.equal(
      (await fetchBytes(page, torrent ?? "")).headers["content-type"],
      "application/x-bittorrent",
    );

    await page.goto(fresh.setupLink);
    assert.equal(await page.locator("h1").innerText(), "Setup is done");
    assert.deepEqual(complaints, []);
  } finally {
    await page.context().close();
    await fresh.remove();
  }
});

test("a wrong setup key says how to get a new one, and the form keeps what was typed", async () => {
  const fresh = await RealHub.create(false);
  const { page } = await openPage(browser);
  try {
    await page.goto(`${fresh.origin}/setup#not-the-key`);
    await page.getByLabel("Your name").fill("bob");
    await page.getByLabel("Password", { exact: true }).fill("a harbour full of fog");
    await page.getByRole("button", { name: "Create and go on" }).click();
    await page.getByText("everseed hub setup-link").first().waitFor();
    assert.equal(page.url(), `${fresh.origin}/setup`);
    assert.equal(await page.getByLabel("Setup key").inputValue(), "not-the-key");
    assert.equal(await page.getByLabel("Your name").inputValue(), "bob");
    assert.equal(await page.getByLabel("Setup key").isVisible(), true);
  } finally {
    await page.context().close();
    await fresh.remove();
  }
});

test("a dropped folder keeps its sub-folders, and names the torrent", async () => {
  const { page, complaints } = await openPublish();
  const contents = await makeFolder(path.join(folder, "harbour talks"), {
    "a.bin": 20_000,
    "slides/01 – второй день.pdf": 4000,
    "slides/empty.txt": 0,
  });
  await drop(page, [path.join(folder, "harbour talks")]);
  await publish(page);
  assert.equal(await page.locator("h1").innerText(), "harbour talks");
  for (const [name, content] of contents) {
    const link = page.getByRole("link", { name: path.basename(name), exact: true });
    const href = await link.getAttribute("href");
    const got = await fetchBytes(page, href ?? "");
    assert.ok(got.body.equals(content), name);
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("the keyboard alone publishes", async () => {
  const { page } = await openPublish();
  // A test cannot answer Chromium's dialog for kept files; it uses the one that all browsers have.
  await page.evaluate("delete globalThis.showOpenFilePicker");
  await makeFolder(path.join(folder, "keys"), { "keys.bin": 1000 });
  const press = async (key: string, until: () => Promise<boolean>): Promise<void> => {
    for (let times = 0; times < 40 && !(await until()); times += 1) await page.keyboard.press(key);
    assert.ok(await until());
  };
  const focused = (text: string) => () =>
    page.evaluate<boolean>(
      `document.activeElement?.textContent.trim() === ${JSON.stringify(text)}`,
    );
  page.on("filechooser", (chooser) => void chooser.setFiles(path.join(folder, "keys/keys.bin")));
  await press("Tab", focused("Choose files"));
  await page.keyboard.press("Enter");
  await page.getByLabel("Title").waitFor();
  await press("Tab", focused("Publish"));
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/t\//);
  assert.equal(await page.locator("h1").innerText(), "keys.bin");
  await page.context().close();
});

test("the choices under More end up in the torrent", async () => {
  const { page } = await openPublish();
  await makeFolder(path.join(folder, "more"), { "more.bin": 100_000 });
  await choose(page, "Files", path.join(folder, "more/more.bin"));
  await page.getByLabel("Title").fill("Another name");
  await page.getByText("More: description").click();
  await page.getByLabel("Description").fill("First line\nsecond line");
  assert.equal(await page.getByLabel("Kind").inputValue(), "v1");
  assert.ok(await page.getByText("Every BitTorrent program reads it.").isVisible());
  await page.getByLabel("Kind").selectOption("hybrid");
  assert.ok(await page.getByText("Transmission 3 and aria2 do not.").isVisible());
  await page.getByLabel("Piece size").selectOption("32768");
  await page.getByLabel("Private").check();
  await publish(page);
  assert.equal(await page.locator("h1").innerText(), "Another name");
  await page.getByText("For programs").click();
  const text = await page.locator("main").innerText();
  assert.match(text, /First line\nsecond line/);
  assert.match(text, /4 of 32 KiB/);
  assert.match(text, /private: peers meet only through its trackers/);
  assert.match(text, /Infohash v2/);
  await page.context().close();
});

test("publishing the same content twice leads to the existing page", async () => {
  const { page } = await openPublish();
  await makeFolder(path.join(folder, "twice"), { "twice.bin": 50_000 });
  await choose(page, "Files", path.join(folder, "twice/twice.bin"));
  await publish(page);
  const first = new URL(page.url()).pathname;
  await page.goto(`${hub.origin}/publish`);
  await choose(page, "Files", path.join(folder, "twice/twice.bin"));
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText("This is here already").waitFor();
  assert.equal(
    await page.getByRole("link", { name: "Go to its page" }).getAttribute("href"),
    first,
  );
  await page.context().close();
});

test("an upload survives a pause, a lost network and kill -9 of the hub; its link exists at once", async () => {
  const { page } = await openPublish();
  const contents = await makeFolder(path.join(folder, "long"), { "long.bin": 24 * MIB });
  await choose(page, "Files", path.join(folder, "long/long.bin"));
  const line = await Line.of(page);
  await line.slow(4 * MIB);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(/iB\/s · .* left/).waitFor();

  const link = await page.locator(".copy code").innerText();
  const guest = await openPage(browser);
  await guest.page.goto(link);
  await guest.page.getByRole("heading", { name: "On its way" }).waitFor();
  assert.equal(await guest.page.getByText("Go on uploading").count(), 0);

  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("heading", { name: "Paused" }).waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("heading", { name: "Uploading" }).waitFor();

  await line.cut();
  await page.getByText("This computer is offline").waitFor();
  await line.slow(4 * MIB);
  await page.getByRole("heading", { name: "Uploading" }).waitFor();

  await hub.stop("SIGKILL");
  await page.getByText("The hub does not answer").waitFor();
  await hub.start();
  await line.free();
  await page.waitForURL(/\/t\//);
  await guest.page.getByText("Open in your program").waitFor();
  const href = await page.getByRole("link", { name: /^Download/ }).getAttribute("href");
  assert.ok((await fetchBytes(page, href ?? "")).body.equals(contents.get("long.bin")!));
  await guest.page.context().close();
  await page.context().close();
});

test("after a reload the page offers to choose the same files again, and only the rest is sent", async () => {
  const { page, complaints } = await openPublish();
  const contents = await makeFolder(path.join(folder, "reload"), {
    "a.bin": 9 * MIB,
    "deep/b.bin": 9 * MIB,
    "deep/c.bin": 100,
  });
  await choose(page, "Folder", path.join(folder, "reload"));
  await page.getByText("More: description").click();
  await page.getByLabel("Description").fill("kept over the reload");
  const line = await Line.of(page);
  await line.slow(3 * MIB);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(/^[4-9]\.\d MiB of 18\.0 MiB are safe/).waitFor();
  await page.reload();
  // Leaving during an upload asks first; the tab's watcher accepted.
  assert.deepEqual(complaints.splice(0), ["dialog: beforeunload "]);
  await line.free();

  await page.getByText("Not finished yet").waitFor();
  // Of this upload, and only one: what an earlier test sent may still be on the hub's list while it is read back.
  const unfinished = page.getByRole("listitem").filter({ hasText: /^reload/ });
  await unfinished.getByRole("button", { name: "Go on" }).click();
  await choose(page, "Files", path.join(folder, "reload/a.bin"));
  await page.getByText("These are not the same files").waitFor();
  await choose(page, "Folder", path.join(folder, "reload"));
  await page.getByText(/Found again: [4-9]/).waitFor();
  await page.waitForURL(/\/t\//);
  assert.ok(await page.getByText("kept over the reload").first().isVisible());
  for (const [name, content] of contents) {
    const link = page.getByRole("link", { name: path.basename(name), exact: true });
    const href = await link.getAttribute("href");
    assert.ok((await fetchBytes(page, href ?? "")).body.equals(content), name);
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("when the hub refuses an upload in the middle, the page shows its message, and Resume continues", async () => {
  const { page } = await openPublish();
  await makeFolder(path.join(folder, "refused"), { "refused.bin": 2 * MIB });
  const refusals = [
    [507, "disk_full", "The disk of this hub is full.", "The disk of this hub is full."],
    [401, "not_signed_in", "Sign in first.", "You are not signed in any more."],
  ] as const;
  let refusal: (typeof refusals)[number] | undefined = refusals[0];
  await page.route("**/content", async (route) => {
    if (route.request().method() !== "PATCH" || refusal === undefined) return route.fallback();
    const [status, code, message] = refusal;
    return route.fulfill({ status, json: { error: { code, message, hint: "Free some space." } } });
  });
  await choose(page, "Files", path.join(folder, "refused/refused.bin"));
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(refusals[0][3]).waitFor();
  assert.ok(await page.getByText("Free some space.").isVisible());
  refusal = refusals[1];
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText(refusals[1][3]).waitFor();
  refusal = undefined;
  await page.getByRole("button", { name: "Resume" }).click();
  await page.waitForURL(/\/t\//);
  await page.context().close();
});

test("a file that changes while it is read is named, and no mixed version is published", async () => {
  const { page } = await openPublish();
  const file = path.join(folder, "changing/changing.bin");
  await makeFolder(path.join(folder, "changing"), { "changing.bin": 16 * MIB });
  await choose(page, "Files", file);
  const line = await Line.of(page);
  await line.slow(2 * MIB);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(/iB\/s · .* left/).waitFor();
  await appendFile(file, "more");
  await line.free();
  await page.getByText("“changing.bin” changed or vanished while it was read.").waitFor();
  await page.getByRole("button", { name: "Choose the files again" }).click();
  await choose(page, "Files", file);
  await publish(page);
  assert.match(await page.locator("main").innerText(), /16\.0 MiB/);
  await page.context().close();
});

test("an upload beyond the hub's limit is refused before anything is sent", async () => {
  const { page } = await openPublish();
  await page.route("**/publish", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace('"uploadBytesMax":null', '"uploadBytesMax":1000');
    return route.fulfill({ response, body });
  });
  await page.goto(`${hub.origin}/publish`);
  await makeFolder(path.join(folder, "big"), { "big.bin": 2000 });
  await choose(page, "Files", path.join(folder, "big/big.bin"));
  await page.getByText("The limit here is 1000 B; this is 2.0 KiB.").waitFor();
  assert.ok(await page.getByRole("button", { name: "Publish", exact: true }).isDisabled());
  await page.context().close();
});

test("an upload can be cancelled: the dialog names it, and nothing remains", async () => {
  const { page } = await openPublish();
  await makeFolder(path.join(folder, "gone"), { "gone.bin": 8 * MIB });
  await choose(page, "Files", path.join(folder, "gone/gone.bin"));
  await (await Line.of(page)).slow(MIB);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  const link = await page.locator(".copy code").innerText();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("heading", { name: /Cancel the upload of .*gone\.bin/ }).waitFor();
  await page.getByRole("button", { name: "Cancel the upload" }).click();
  await page.getByText("Drop files or a folder here").waitFor();
  const response = await page.goto(link);
  assert.equal(response?.status(), 404);
  await page.context().close();
});

test("the speed falls to 0 when the hub accepts nothing, and recovers", async () => {
  const { page } = await openPublish();
  await makeFolder(path.join(folder, "frozen"), { "frozen.bin": 32 * MIB });
  await choose(page, "Files", path.join(folder, "frozen/frozen.bin"));
  const line = await Line.of(page);
  await line.slow(4 * MIB);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(/iB\/s · .* left/).waitFor();
  hub.freeze();
  try {
    await page.getByText(/ % · 0 B\/s$/).waitFor();
  } finally {
    hub.thaw();
  }
  await page.getByText(/iB\/s · .* left/).waitFor();
  await line.free();
  await page.waitForURL(/\/t\//);
  await page.context().close();
});

test("discarding an unfinished upload asks first, and names it", async () => {
  const { page } = await openPublish();
  await makeFolder(path.join(folder, "thrown"), { "thrown.bin": 8 * MIB });
  await choose(page, "Files", path.join(folder, "thrown/thrown.bin"));
  const line = await Line.of(page);
  await line.slow(MIB);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(/iB\/s · .* left/).waitFor();
  await page.reload();
  await line.free();
  const entry = page.getByRole("listitem").filter({ hasText: "thrown.bin" });
  const throwAway = entry.getByRole("button", { name: "Throw away the upload of thrown.bin" });
  await throwAway.click();
  await page.getByRole("heading", { name: /Throw away the upload of .*thrown\.bin/ }).waitFor();
  await page.getByRole("button", { name: "Keep it" }).click();
  assert.ok(await entry.isVisible());
  await throwAway.click();
  await page.getByRole("button", { name: "Throw it away" }).click();
  await entry.waitFor({ state: "detached" });
  await page.reload();
  assert.equal(await entry.count(), 0);
  await page.context().close();
});

test("10,000 small files: chosen, published, paged and searched", async () => {
  const { page, complaints } = await openPublish();
  const files = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`d${index % 100}/file ${index}.txt`, 64]),
  );
  await makeFolder(path.join(folder, "many"), files);
  await choose(page, "Folder", path.join(folder, "many"));
  await page.getByText("10,000 files").waitFor();
  await page.getByText("Show the files").click();
  assert.ok((await page.locator(".chosen li").count()) <= 101);
  await publish(page);
  assert.equal(await page.locator(".files .file").count(), 200);
  await page.getByRole("link", { name: "Page 50" }).click();
  await page.locator(".files summary").filter({ hasText: "d99" }).waitFor();
  assert.match(
    await page.locator(".files summary").last().innerText(),
    /^d99\s+100 files, 6\.3 KiB$/,
  );
  await page.getByLabel("Search the files").fill("FILE 7777");
  await page.keyboard.press("Enter");
  await page.getByText("1 of 10,000 files").waitFor();
  assert.equal(await page.locator(".files .file").count(), 1);
  assert.deepEqual(complaints, []);
  await page.context().close();
});
