/**
 * What a person does after `npm start`, as short as it goes: set the hub up, publish a file, download it from the
 * site and from the swarm. `test/fresh/first-hour.sh` runs it in a fresh checkout.
 *
 *   tools/run node test/fresh/first-upload.ts upload SETUP-LINK FOLDER
 *   tools/run node test/fresh/first-upload.ts download FOLDER
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const everseed = path.resolve(import.meta.dirname, "../../bin/everseed");
const name = "tides.bin";

/** Some pieces, no two alike. */
const content = Buffer.alloc(3_000_000);
for (let offset = 0; offset < content.length; offset += 4) content.writeUint32LE(offset, offset);

const [action, ...args] = process.argv.slice(2);
if (action === "upload" && args.length === 2) {
  await upload(args[0]!, args[1]!);
  await download(args[1]!);
} else if (action === "download" && args.length === 1) {
  await download(args[0]!);
} else {
  throw new Error("usage: first-upload.ts upload SETUP-LINK FOLDER | download FOLDER");
}

async function upload(setupLink: string, folder: string): Promise<void> {
  const { origin, hash } = new URL(setupLink);
  const password = "a harbour full of fog";
  const setup = await post(`${origin}/api/v1/setup`, { key: hash.slice(1), name: "ann", password });
  const cookie = setup.headers.getSetCookie().map((each) => each.split(";")[0]);
  const made = await post(`${origin}/api/v1/tokens`, { name: "first" }, cookie.join("; "));
  const { token } = (await made.json()) as { token: string };
  const tokenFile = path.join(folder, "token");
  fs.writeFileSync(tokenFile, token, { mode: 0o600 });
  const file = path.join(folder, name);
  fs.writeFileSync(file, content);
  const flags = ["--to", origin, "--token-file", tokenFile, "--json"];
  const published = execFileSync(everseed, ["publish", file, ...flags], { encoding: "utf8" });
  fs.writeFileSync(path.join(folder, "published.json"), published);
}

async function post(url: string, body: unknown, cookie = ""): Promise<Response> {
  const headers = { "content-type": "application/json", origin: new URL(url).origin, cookie };
  const reply = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  assert.ok(reply.ok, `${url}: ${reply.status} ${reply.ok ? "" : await reply.text()}`);
  return reply;
}

async function download(folder: string): Promise<void> {
  const text = fs.readFileSync(path.join(folder, "published.json"), "utf8");
  const { pageUrl, torrentUrl } = JSON.parse(text) as { pageUrl: string; torrentUrl: string };
  const page = await fetch(pageUrl);
  assert.equal(page.status, 200);
  assert.ok((await page.text()).includes(name), "the page does not name the file");
  const direct = await fetch(`${torrentUrl.replace(/\.torrent$/, "")}/files/0/${name}`);
  assert.ok(Buffer.from(await direct.arrayBuffer()).equals(content), "the direct download");
  const out = fs.mkdtempSync(path.join(folder, "got-"));
  execFileSync(everseed, ["get", torrentUrl, "-o", out, "--quiet"], { stdio: "inherit" });
  assert.ok(fs.readFileSync(path.join(out, name)).equals(content), "the download from the swarm");
  console.log(`${name}: the same from the page and from the swarm`);
}
