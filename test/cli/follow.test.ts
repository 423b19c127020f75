import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { fromHex } from "../../src/base/bytes.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { putItem } from "../../src/dht/item-search.ts";
import { NO_SALT, placeOf, signItem } from "../../src/dht/item.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { bootstrapNode } from "../fixtures/bootstrap-node.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const signatures = new NodeSignatures();
const keyOf = (file: string) => signatures.keyFromSeed(fromHex(file.trim())!);
const BIG = "a talk that stays as it is. ".repeat(20_000);

/** A folder with a publication, and the node that all begin with. */
async function world(t: TestContext) {
  const { address, service } = await bootstrapNode(t);
  const folder = temporaryFolder(t);
  const write = (version: string, files: Record<string, string>): void => {
    const content = path.join(folder, version, "talks");
    mkdirSync(content, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(content, name), text);
  };
  const options = ["--listen", "127.0.0.1:0", "--dht-bootstrap", address, "--json"];
  const publish = async (version: string, { what = "talks" } = {}) => {
    const args = ["seed", what, "--mutable", "--key-file", "../talks.key", ...options];
    const seed = new EverseedProcess(t, args, { cwd: path.join(folder, version) });
    const [, link] = await seed.waitFor(/"event":"version-stored","link":"([^"]+)"/);
    return link!;
  };
  const follow = (link: string, ...more: readonly string[]) =>
    everseed(t, ["follow", link, "-o", "here", ...options, ...more], { cwd: folder });
  const read = (...names: readonly string[]) => readFileSync(path.join(folder, ...names), "utf8");
  return { folder, write, options, publish, follow, read, dht: service.dht };
}

test("BEP 46: a publication is found by its key, and followed to its next version", async (t) => {
  const { folder, write, options, publish, follow, read } = await world(t);
  write("one", { "big.txt": BIG, "changes.txt": "first", "goes.txt": "goes" });
  const first = await publish("one");
  assert.match(first, /^magnet:\?xs=urn:btpk:[0-9a-f]{64}$/);
  assert.equal(statSync(path.join(folder, "talks.key")).mode & 0o777, 0o600);

  const once = await follow(first, "--once");
  assert.equal(once.exit, 0, once.stderr);
  assert.equal(read("here/talks/changes.txt"), "first");
  assert.equal(read("here/talks/big.txt"), BIG);
  writeFileSync(path.join(folder, "here/talks/mine.txt"), "mine");

  const again = await follow(first, "--once");
  assert.equal(again.exit, 0, again.stderr);
  assert.match(again.stdout, /"event":"newest"/);

  write("two", { "big.txt": BIG, "changes.txt": "second", "new.txt": "new" });
  const second = await publish("two");
  assert.equal(second, first);
  const newer = await follow(first, "--once");
  assert.equal(newer.exit, 0, newer.stderr);
  assert.deepEqual(readdirSync(path.join(folder, "here/talks")).toSorted(), [
    "big.txt",
    "changes.txt",
    "mine.txt",
    "new.txt",
  ]);
  assert.equal(read("here/talks/changes.txt"), "second");
  const [, downloaded] = /"event":"done","bytes":\d+,"downloaded":(\d+)/.exec(newer.stdout)!;
  assert.ok(Number(downloaded) < BIG.length / 2, `${downloaded} bytes were fetched again`);
  const older = readdirSync(path.join(folder, "here/talks.older"));
  assert.equal(older.length, 1);
  const kept = path.join("here/talks.older", older[0]!);
  assert.equal(read(kept, "changes.txt"), "first");
  assert.equal(read(kept, "goes.txt"), "goes");

  // `get` takes the same link, for the newest version once.
  const got = await everseed(t, ["get", first, "-o", "got", ...options], { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  assert.equal(read("got/talks/changes.txt"), "second");
});

for (const kind of ["v2", "hybrid"] as const) {
  test(`BEP 46, 52: a publication of ${kind} torrents is followed from one version to the next`, async (t) => {
    const { folder, write, publish, follow, read, dht } = await world(t);
    const make = async (version: string): Promise<void> => {
      const args = [
        "create",
        "talks",
        "--kind",
        kind,
        "--piece-size",
        "64K",
        "-o",
        "talks.torrent",
      ];
      const created = await everseed(t, args, { cwd: path.join(folder, version) });
      assert.equal(created.exit, 0, created.stderr);
    };
    write("one", { "big.txt": BIG, "changes.txt": "first" });
    await make("one");
    const link = await publish("one", { what: "talks.torrent" });
    const first = await follow(link, "--once");
    assert.equal(first.exit, 0, first.stderr);
    assert.equal(read("here/talks/changes.txt"), "first");
    write("two", { "big.txt": BIG, "changes.txt": "second" });
    await make("two");
    assert.equal(await publish("two", { what: "talks.torrent" }), link);
    const second = await follow(link, "--once");
    assert.equal(second.exit, 0, second.stderr);
    assert.match(second.stdout, /"infohashV2":"[0-9a-f]{64}"/);
    assert.equal(read("here/talks/changes.txt"), "second");
    assert.equal(read("here/talks/big.txt"), BIG);
    const [, downloaded] = /"event":"done","bytes":\d+,"downloaded":(\d+)/.exec(second.stdout)!;
    assert.ok(Number(downloaded) < BIG.length / 2, `${downloaded} bytes were fetched again`);
    if (kind === "hybrid") return;

    // Other programs have 20 bytes for the infohash: of v2 they cut it.
    const [, infohash] = /"infohashV2":"([0-9a-f]{64})"/.exec(first.stdout)!;
    const cut = fromHex(infohash!)!.subarray(0, 20);
    const item = signItem(keyOf(read("talks.key")), {
      value: encode(dictOf({ ih: cut })),
      salt: NO_SALT,
      sequence: 2n ** 40n,
    });
    await new Promise<void>((resolve) => {
      const place = placeOf(item);
      putItem(dht, { place, signatures, make: () => item }, () => resolve());
    });
    const third = await follow(link, "--once");
    assert.equal(third.exit, 0, third.stderr);
    assert.equal(read("here/talks/changes.txt"), "first", "the version that it names");
  });
}

test("follow and seed say what they cannot do with a key", async (t) => {
  const { folder, write, options, follow } = await world(t);
  write("one", { "a.txt": "a" });
  const key = "ab".repeat(32);
  const absent = await follow(key, "--once");
  assert.equal(absent.exit, 3);
  assert.match(absent.stdout + absent.stderr, /The DHT has no version of this publication/);
  const run = (...args: readonly string[]) => everseed(t, args, { cwd: folder });
  for (const [args, words] of [
    [["follow", "nonsense"], /names no publication/],
    [["follow", `magnet:?xs=urn:btpk:${key.slice(2)}`], /64 hexadecimal digits/],
    [["follow", `magnet:?xs=urn:btpk:${key}`, "--salt", "x"], /--salt is for a bare key/],
    [["get", `magnet:?xs=urn:btpk:${key}`, "--dht", "off"], /The DHT is off/],
    [["seed", "one/talks", "--key-file", "x.key"], /go with --mutable/],
    [["seed", "one/talks", "one/talks", "--mutable", ...options], /is one torrent/],
    [["seed", "one/talks", "--mutable", "--salt", "x".repeat(65)], /The salt has 65 bytes/],
    [["check", `magnet:?xs=urn:btpk:${key}`, "."], /everseed follow fetches the publication/],
  ] as const) {
    const refused = await run(...args);
    assert.ok(refused.exit === 2 || refused.exit === 7, `${args.join(" ")}: ${refused.stderr}`);
    assert.match(refused.stderr + refused.stdout, words);
  }
  const shown = await run("show", `magnet:?xs=urn:btpk:${key}&s=6e`);
  assert.match(shown.stdout, new RegExp(`^Key +${key}\\nSalt +6e$`, "m"), shown.stderr);
});
