import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { surroundInfo } from "../../src/metainfo/surround-info.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { freePort } from "../fixtures/free-port.ts";
import { takeBack } from "../fixtures/old-database.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const PORTS = {
  EVERSEED_ENGINE_PORT: "0",
  EVERSEED_TRACKER_UDP_PORT: "0",
  XDG_DATA_HOME: "/nowhere",
};
const NAMED = "udp://127.0.0.9:1337/announce";

interface Detail {
  readonly id: string;
  readonly infohashV1: string;
  readonly infohashV2: string;
  readonly magnet: string;
  readonly pageUrl: string;
  readonly torrentUrl: string;
  readonly trackers: string[];
}

async function initialised(context: TestContext): Promise<string> {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "password"), "a harbour full of fog\n", { mode: 0o600 });
  const args = ["--data", "data", "--admin", "ann", "--password-file", "password"];
  const made = await everseed(context, ["hub", "init", ...args, "--token-file", "token"], {
    cwd: folder,
  });
  assert.equal(made.exit, 0, made.stderr);
  return folder;
}

/** A hub in `folder` and its address; `env` sets `publicUrl` and the like. */
async function start(context: TestContext, folder: string, env: Record<string, string>) {
  const args = ["hub", "start", "--data", "data", "--json"];
  const hub = new EverseedProcess(context, args, { cwd: folder, env: { ...PORTS, ...env } });
  const [, ready] = await hub.waitFor(/^(\{"event":"ready".*\})$/m);
  const { url, port } = JSON.parse(ready!) as { url: string; port: number };
  return {
    url,
    port,
    stop: async () => {
      hub.child.kill("SIGTERM");
      assert.equal((await hub.finished).exit, 0);
    },
  };
}

async function publish(folder: string, url: string): Promise<string> {
  const token = (await readFile(join(folder, "token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}` };
  const bytes = new Uint8Array(await readFile(join(folder, "a.bin")));
  const json = {
    name: "a.bin",
    folder: false,
    files: [{ path: "a.bin", size: bytes.length }],
    trackers: [NAMED],
    comment: "tide tables",
    kind: "hybrid",
  };
  const declared = await fetch(`${url}/api/v1/drafts`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(json),
  });
  const { id, uploadPath } = (await declared.json()) as { id: string; uploadPath: string };
  const sent = await fetch(url + uploadPath, {
    method: "PATCH",
    headers: {
      ...headers,
      "tus-resumable": "1.0.0",
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
    },
    body: bytes,
  });
  assert.equal(sent.status, 204, await sent.text());
  return id;
}

/** Every place that shows an address contains `url`, and none contains `gone`. */
async function assertAddresses(
  id: string,
  asked: string,
  named: {
    readonly url: string;
    readonly gone: readonly string[];
    readonly trackers: readonly string[];
    /** Torrents name the hub as web seed: not while only this machine reaches it. */
    readonly isWebSeed?: boolean;
  },
): Promise<Detail> {
  const { url, gone, trackers, isWebSeed = false } = named;
  const json = await (await fetch(`${asked}/api/v1/torrents/${id}`)).text();
  const detail = JSON.parse(json) as Detail;
  const list = await (await fetch(`${asked}/api/v1/torrents`)).text();
  const page = await (await fetch(detail.pageUrl)).text();
  const file = new Uint8Array(await (await fetch(detail.torrentUrl)).arrayBuffer());
  const metainfo = parseMetainfo(file);
  assert.deepEqual(metainfo.trackers.flat(), trackers);
  assert.deepEqual(detail.trackers, trackers);
  assert.deepEqual(metainfo.webSeeds, isWebSeed ? [`${url}/t/${id}/seed/`] : []);
  assert.equal(metainfo.comment, "tide tables");
  const link = new URL(detail.magnet).searchParams;
  assert.deepEqual(link.getAll("tr"), trackers);
  assert.deepEqual(link.getAll("ws"), metainfo.webSeeds);
  for (const text of [json, list, page, Buffer.from(file).toString("latin1")]) {
    assert.ok(
      text.includes(encodeURIComponent(`${url}/announce`)) || text.includes(`${url}/announce`),
    );
    for (const old of gone) assert.ok(!text.includes(old), old);
  }
  return detail;
}

test("publications name today's addresses: another port, host and publicUrl, and get works", async (context) => {
  const folder = await initialised(context);
  const content = randomBytes(700_000);
  await writeFile(join(folder, "a.bin"), content);
  const first = await start(context, folder, { EVERSEED_PORT: "0" });
  const id = await publish(folder, first.url);
  const before = await assertAddresses(id, first.url, {
    url: first.url,
    gone: [],
    trackers: [`${first.url}/announce`, ...(await udpOf(first.url, id)), NAMED],
  });
  await first.stop();

  const second = await start(context, folder, { EVERSEED_PORT: "0", EVERSEED_HOST: "127.0.0.2" });
  const gone = [`:${first.port}`];
  const moved = await assertAddresses(id, second.url, {
    url: second.url,
    gone,
    trackers: [`${second.url}/announce`, ...(await udpOf(second.url, id)), NAMED],
  });
  await second.stop();

  const port = await freePort();
  const publicUrl = `http://localhost:${port}`;
  const third = await start(context, folder, {
    EVERSEED_PORT: String(port),
    EVERSEED_PUBLIC_URL: publicUrl,
  });
  const last = await assertAddresses(id, third.url, {
    url: publicUrl,
    isWebSeed: true,
    gone: [...gone, `:${second.port}`, "127.0.0.2"],
    trackers: [`${publicUrl}/announce`, ...(await udpOf(third.url, id)), NAMED],
  });
  for (const { infohashV1, infohashV2 } of [moved, last]) {
    assert.deepEqual([infohashV1, infohashV2], [before.infohashV1, before.infohashV2]);
  }
  for (const source of [last.torrentUrl, last.magnet]) {
    const got = await everseed(context, ["get", source, "-o", "copy", "--listen", "127.0.0.1:0"], {
      cwd: folder,
    });
    assert.equal(got.exit, 0, got.stderr);
    assert.ok(content.equals(await readFile(join(folder, "copy/a.bin"))));
    await rm(join(folder, "copy"), { recursive: true });
  }
});

test("a data folder of the first version: its .torrent files name today's hub as well", async (context) => {
  const folder = await initialised(context);
  const content = randomBytes(300_000);
  await writeFile(join(folder, "a.bin"), content);
  const first = await start(context, folder, { EVERSEED_PORT: "0" });
  const id = await publish(folder, first.url);
  await first.stop();
  await makeOld(join(folder, "data"), [
    [`${first.url}/announce`],
    ["udp://127.0.0.1:4444/announce"],
    [NAMED],
  ]);
  const hub = await start(context, folder, { EVERSEED_PORT: "0", EVERSEED_HOST: "127.0.0.2" });
  for (let time = 0; time < 2; time += 1) {
    const detail = await assertAddresses(id, hub.url, {
      url: hub.url,
      gone: [`:${first.port}`, ":4444"],
      trackers: [`${hub.url}/announce`, ...(await udpOf(hub.url, id)), NAMED],
    });
    const got = await everseed(
      context,
      ["get", detail.magnet, "-o", `copy ${time}`, "--listen", "127.0.0.1:0"],
      { cwd: folder },
    );
    assert.equal(got.exit, 0, got.stderr);
  }
});

/** The UDP tracker that the hub names, whatever port the system gave it. */
async function udpOf(url: string, id: string): Promise<string[]> {
  const detail = (await (await fetch(`${url}/api/v1/torrents/${id}`)).json()) as Detail;
  return detail.trackers.filter((tracker) => tracker.startsWith("udp:") && tracker !== NAMED);
}

/** Converts a data folder to what the first version wrote: its tables, and its trackers in the file. */
async function makeOld(dataDir: string, trackers: string[][]): Promise<void> {
  await takeBack(join(dataDir, "everseed.db"), "0004-search-clues");
  const torrents = join(dataDir, "torrents");
  const [name] = (await readdir(torrents, { recursive: true })).filter((each) =>
    each.endsWith(".torrent"),
  );
  const path = join(torrents, name!);
  const bytes = new Uint8Array(await readFile(path));
  await writeFile(path, surroundInfo(bytes, { trackers, webSeeds: [], comment: "tide tables" }));
}
