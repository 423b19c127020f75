/**
 * Takes the pictures of the README from the real hub: `tools/run node tools/take-pictures.ts`. Needs Chromium.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { launchChromium } from "../test/browser/chromium.ts";
import { RealHub } from "../test/browser/real-hub.ts";
import { drop, publish, signIn } from "../test/browser/steps.ts";

const pictures = path.resolve(import.meta.dirname, "../docs/pictures");
const MIB = 1024 * 1024;

/** A realistic folder; the content of its files does not matter for a picture. */
const files: Readonly<Record<string, number>> = {
  "01 opening.webm": 48.2 * MIB,
  "02 tides and timetables.webm": 61.7 * MIB,
  "03 a net that mends itself.webm": 55.4 * MIB,
  "slides/01.pdf": 3.1 * MIB,
  "slides/02.pdf": 4.8 * MIB,
  "transcripts/01.txt": 41_984,
  "transcripts/02.txt": 39_424,
};

// The name of this machine's owner does not belong in a picture.
process.env["EVERSEED_SITE_NAME"] = "Harbour archive";
const hub = await RealHub.create(true);
const browser = await launchChromium();
const folder = path.join(await mkdtemp(path.join(tmpdir(), "everseed-pictures-")), "Harbour talks");
try {
  await mkdir(pictures, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), Buffer.alloc(Math.round(bytes), name));
  }
  const page = await browser.newPage({
    viewport: { width: 1280, height: 760 },
    colorScheme: "light",
  });
  await signIn(page, hub);
  await page.screenshot({ path: path.join(pictures, "publish.png"), fullPage: true });
  await drop(page, [folder]);
  await page.getByText("More: description").click();
  await page
    .getByLabel("Description")
    .fill("Recordings of the talks in the old customs house, with slides.");
  await publish(page);
  await page.goto(page.url().split("?", 1)[0] ?? "");
  // A second complete peer, so that the picture shows a swarm and not a lone hub.
  const texts = await page.locator(".copy code").allTextContents();
  const infohash = texts.find((text) => /^[0-9a-f]{40}$/.test(text)) ?? "";
  const key = infohash.replace(/../g, "%$&");
  const peer = "peer_id=-XX0001-0123456789ab&port=7001&uploaded=0&downloaded=0&left=0&compact=1";
  await fetch(`${hub.origin}/announce?info_hash=${key}&${peer}`);
  await page.reload();
  await page.getByText("the rarest has 2 copies").waitFor();
  await page.screenshot({ path: path.join(pictures, "torrent.png"), fullPage: true });
  console.log(`pictures: ${pictures}`);
} finally {
  await browser.close();
  await hub.remove();
  await rm(path.dirname(folder), { recursive: true, force: true });
}
