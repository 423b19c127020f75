import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { aria2, skipUnless } from "../interop/foreign-peers.ts";
import { launchChromium, openPage } from "./chromium.ts";
import { RealHub } from "./real-hub.ts";
import { choose, makeFolder, publish, signIn } from "./steps.ts";

const timeout = 60_000;
const skip = skipUnless(aria2);

let hub: RealHub;
let browser: Browser;
let folder: string;

before(async () => {
  hub = await RealHub.create(true);
  browser = await launchChromium();
  folder = await mkdtemp(path.join(tmpdir(), "everseed-fetch-"));
});
after(async () => {
  await browser.close();
  await hub.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Publishes a folder on the page. @returns Its content, and the address of its .torrent there. */
async function publishFolder(name: string, kind: "as it comes" | "hybrid") {
  const { page } = await openPage(browser);
  await signIn(page, hub);
  const contents = await makeFolder(path.join(folder, name), {
    "a.bin": 3_000_000,
    "slides/второй день.pdf": 70_001,
    "slides/empty.txt": 0,
  });
  await choose(page, "Folder", path.join(folder, name));
  if (kind !== "as it comes") {
    await page.getByText("More: description").click();
    await page.getByLabel("Kind").selectOption(kind);
  }
  await publish(page);
  const link = page.getByRole("link", { name: ".torrent" });
  const address = new URL((await link.getAttribute("href")) ?? "", hub.origin).href;
  await page.context().close();
  return { contents, address };
}

async function succeeds(client: ChildProcess): Promise<void> {
  let said = "";
  client.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  client.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  assert.deepEqual(await once(client, "exit"), [0, null], said);
}

async function assertFetched(contents: ReadonlyMap<string, Buffer>, into: string): Promise<void> {
  for (const [name, content] of contents) {
    assert.ok((await readFile(path.join(into, name))).equals(content), name);
  }
}

test(
  "PUB-1.1, PUB-5.1: aria2c fetches a publication with default settings, from the everseed alone",
  { skip },
  async () => {
    const { contents, address } = await publishFolder("for aria2", "as it comes");
    const words =
      "--no-conf --seed-time=0 --enable-dht=false --enable-dht6=false --bt-enable-lpd=false";
    const into = path.join(folder, "by-aria2");
    await succeeds(spawn("aria2c", [...words.split(" "), `--dir=${into}`, address], { timeout }));
    await assertFetched(contents, path.join(into, "for aria2"));
  },
);

test("PUB-1.3: our own get fetches a hybrid by the page's link, even after kill -9 of the hub", async () => {
  const { contents, address } = await publishFolder("for get", "hybrid");
  await hub.stop("SIGKILL");
  await hub.start();
  const into = path.join(folder, "by-get");
  const words = ["get", address, "-o", into, "--listen", "127.0.0.1:0"];
  await succeeds(
    spawn(path.resolve(import.meta.dirname, "../../bin/everseed"), words, { timeout }),
  );
  await assertFetched(contents, path.join(into, "for get"));
});
