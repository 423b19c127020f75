import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { bootstrapNode } from "../fixtures/bootstrap-node.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

function content(t: TestContext): string {
  const folder = temporaryFolder(t);
  writeFileSync(path.join(folder, "talk.txt"), "hello\n".repeat(20_000));
  return folder;
}

test("BTFS-T5: two downloads and a seed find each other with one DHT node and no tracker", async (t) => {
  const { queries, address } = await bootstrapNode(t);
  const folder = content(t);
  const listen = ["--listen", "127.0.0.1:0", "--dht-bootstrap", address, "--json"];
  const seed = new EverseedProcess(t, ["seed", "talk.txt", ...listen], { cwd: folder });
  const made = await seed.waitFor(/"magnet":"([^"]+)"/);
  const magnet = made[1]!;
  const first = await everseed(t, ["get", magnet, "-o", "one", ...listen], { cwd: folder });
  assert.equal(first.exit, 0, first.stderr);
  const second = await everseed(t, ["get", magnet, "-o", "two", ...listen], { cwd: folder });
  assert.equal(second.exit, 0, second.stderr);
  for (const copy of ["one", "two"]) {
    assert.deepEqual(
      readFileSync(path.join(folder, copy, "talk.txt")),
      readFileSync(path.join(folder, "talk.txt")),
    );
  }
  assert.ok(queries.some(({ method }) => method === "announce_peer"));
});

test("DHT-7: a private torrent asks the DHT nothing, although it is on", async (t) => {
  const { queries, address } = await bootstrapNode(t);
  const folder = content(t);
  const tracker = ["--tracker", "http://127.0.0.1:9/announce"];
  const created = await everseed(t, ["create", "talk.txt", "--private", ...tracker], {
    cwd: folder,
  });
  assert.equal(created.exit, 0, created.stderr);
  const listen = ["--listen", "127.0.0.1:0", "--dht-bootstrap", address, "--json"];
  const seed = new EverseedProcess(t, ["seed", "talk.txt.torrent", ...listen], { cwd: folder });
  const peer = `127.0.0.1:${await seed.port()}`;
  const get = ["get", "talk.txt.torrent", "-o", "out", "--peer", peer, ...listen];
  const got = await everseed(t, get, { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  assert.deepEqual(queries, []);
});

test("dht: items are put and read, with a key that is made; peers of a seed are found; a status", async (t) => {
  const { address } = await bootstrapNode(t);
  const folder = content(t);
  const run = async (...args: string[]) => {
    const done = await everseed(t, ["dht", ...args, "--bootstrap", address], { cwd: folder });
    return { ...done, line: done.stdout.trim() };
  };
  const status = await run("status");
  assert.match(status.stdout, /^IPv4 {2}1 node$/m, status.stderr);

  const letter = await run("put", "hello");
  assert.equal(letter.exit, 0, letter.stderr);
  assert.match(letter.line, /^[0-9a-f]{40}$/);
  assert.equal((await run("get", letter.line)).line, "hello");

  const first = await run("put", "one", "--key-file", "my.key", "--salt", "news");
  assert.match(first.stderr, /Made a new key in my\.key/);
  assert.equal(statSync(path.join(folder, "my.key")).mode & 0o777, 0o600);
  const second = await run("put", "two", "--key-file", "my.key", "--salt", "news", "--json");
  assert.deepEqual(JSON.parse(second.line), { name: first.line, sequence: "2", stored: 1 });
  assert.equal((await run("get", first.line, "--salt", "news")).line, "two");

  const unsalted = await run("get", first.line);
  assert.equal(unsalted.exit, 3);
  assert.match(unsalted.stderr, /The DHT has no item [0-9a-f]{64}\.\n {2}Try: /);
  assert.equal((await run("get", "abc")).exit, 2);
  const saltAlone = await run("put", "hello", "--salt", "news");
  assert.equal(saltAlone.exit, 2, saltAlone.stdout);
  assert.match(saltAlone.stderr, /there is no key\.\n {2}Try: --key-file FILE/);
  const noKey = await run("put", "hello", "--key-file", "talk.txt");
  assert.equal(noKey.exit, 2);
  assert.match(noKey.stderr, /talk\.txt holds no key\. A key is 64 hexadecimal digits\./);
  assert.match((await run("put", "x".repeat(1000))).stderr, /The text or the salt is too long/);

  const listen = ["--listen", "127.0.0.1:0", "--dht-bootstrap", address, "--json"];
  const seed = new EverseedProcess(t, ["seed", "talk.txt", ...listen], { cwd: folder });
  const [, infohash] = await seed.waitFor(/urn:btih:([0-9a-f]{40})/);
  const port = await seed.port();
  for (;;) {
    const found = await run("lookup", infohash!, "--json");
    const { peers, seeds } = JSON.parse(found.line) as { peers: string[]; seeds: number };
    if (peers.length === 0) continue;
    assert.deepEqual([peers, seeds], [[`127.0.0.1:${port}`], 1]);
    break;
  }
});

test("a torrent names DHT nodes instead of a tracker; show tells them, and those nearby are not asked", async (t) => {
  const { queries, address } = await bootstrapNode(t);
  const near = await bootstrapNode(t);
  const folder = content(t);
  const run = (...args: string[]) => everseed(t, args, { cwd: folder });
  const nodes = ["--dht-node", near.address, "--dht-node", "dht.example:6881"];
  const created = await run("create", "talk.txt", ...nodes);
  assert.equal(created.exit, 0, created.stderr);
  const shown = await run("show", "talk.txt.torrent");
  assert.match(
    shown.stdout,
    new RegExp(`^DHT node +${near.address}\nDHT node +dht[.]example:6881$`, "m"),
  );
  const json = JSON.parse((await run("show", "talk.txt.torrent", "--json")).stdout) as object;
  assert.deepEqual(Reflect.get(json, "nodes"), [near.address, "dht.example:6881"]);

  for (const [option, words] of [
    [["--private"], /a private torrent does not use the DHT/],
    [["--tracker", "http://127.0.0.1:9/announce"], /for torrents without a tracker/],
  ] as const) {
    const refused = await run("create", "talk.txt", "-f", ...nodes, ...option);
    assert.equal(refused.exit, 2);
    assert.match(refused.stderr, words);
  }

  const again = await run("create", "talk.txt", "-f", "--dht-node", near.address);
  assert.equal(again.exit, 0, again.stderr);
  const listen = ["--listen", "127.0.0.1:0", "--dht-bootstrap", address];
  const seed = new EverseedProcess(t, ["seed", "talk.txt.torrent", ...listen], { cwd: folder });
  await seed.waitFor(new RegExp(`names the DHT node ${near.address}, in your own network`));
  while (!queries.some(({ method }) => method === "announce_peer")) await setTimeout(20);
  assert.deepEqual(near.queries, []);
});
