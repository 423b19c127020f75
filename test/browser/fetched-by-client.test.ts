import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { launchChromium, openPage } from "./chromium.ts";
import { RealHub } from "./real-hub.ts";
import { choose, makeFolder, publish, signIn } from "./steps.ts";

const missing = spawnSync("aria2c", ["--version"]).error !== undefined;
const skip = missing && "aria2c is not installed: tools/peers.sh installs it";

test(
  "PUB-1.1, PUB-5.1: what the page published is fetched by aria2c from the everseed alone",
  { skip },
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "everseed-fetch-"));
    const hub = await RealHub.create(true);
    const browser = await launchChromium();
    try {
      const { page } = await openPage(browser);
      await signIn(page, hub);
      const contents = await makeFolder(path.join(folder, "talks"), {
        "a.bin": 3_000_000,
        "slides/второй день.pdf": 70_001,
      });
      await choose(page, "Folder", path.join(folder, "talks"));
      await publish(page);
      const link = page.getByRole("link", { name: ".torrent" });
      const address = new URL((await link.getAttribute("href")) ?? "", hub.origin).href;
      const words = "--seed-time=0 --enable-dht=false --enable-dht6=false --bt-enable-lpd=false";
      const client = spawn("aria2c", [...words.split(" "), `--dir=${folder}/got`, address], {
        stdio: "ignore",
        timeout: 60_000,
      });
      assert.deepEqual(await once(client, "exit"), [0, null]);
      for (const [name, content] of contents) {
        const got = await readFile(path.join(folder, "got/talks", name));
        assert.ok(got.equals(content), name);
      }
    } finally {
      await browser.close();
      await hub.remove();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
