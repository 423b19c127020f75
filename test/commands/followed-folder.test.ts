import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { sha1 } from "../../src/base/hash.ts";
import { FollowedFolder } from "../../src/commands/followed-folder.ts";
import { type MutableItem, NO_SALT, placeOf, signItem, targetOf } from "../../src/dht/item.ts";
import { encodePointer } from "../../src/dht/mutable-torrent.ts";
import { buildMetainfo, planTorrent } from "../../src/metainfo/create.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const signatures = new NodeSignatures();
const KEY = signatures.keyFromSeed(new Uint8Array(32).fill(1));
const PIECE = 16 * 1024;
const NEVER = new AbortController().signal;
const KEPT = { deletesOlder: false };

type Content = Readonly<Record<string, string>>;

/** A version of the folder `talks`: its torrent, and its item. */
function version(sequence: bigint, content: Content) {
  const names = Object.keys(content);
  const files = names.map((name) => ({ path: name.split("/"), length: content[name]!.length }));
  const plan = planTorrent({ name: "talks", kind: "v1", pieceLength: PIECE, files });
  const all = Buffer.concat(
    plan.files.map(({ input }) => Buffer.from(input === undefined ? "" : content[names[input]!]!)),
  );
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += PIECE) hashes.push(sha1(all.subarray(at, at + PIECE)));
  const { torrent } = buildMetainfo(plan, { v1: Buffer.concat(hashes) });
  const { info } = parseMetainfo(torrent);
  const value = encodePointer(info.infohashes);
  const item = signItem(KEY, { value, salt: NO_SALT, sequence });
  return { torrent, info, item, content };
}

type Made = ReturnType<typeof version>;

const BIG = "b".repeat(3 * PIECE);
const ONE = version(1n, { "big.bin": BIG, "sub/old.txt": "old", "text.txt": "one" });
const TWO = version(2n, { "big.bin": BIG, "text.txt": "two!" });

class World {
  readonly root: string;
  #nowMs = Date.now() + 10_000;

  constructor(t: TestContext) {
    this.root = temporaryFolder(t, "follow-");
  }

  open(): Promise<FollowedFolder> {
    const target = targetOf(placeOf(ONE.item));
    return FollowedFolder.open({ files: new NodeUserFiles(), signatures }, this.root, target);
  }

  at(...names: readonly string[]): string {
    return path.join(this.root, ...names);
  }

  /** What a download does: judges what is there, and writes the rest. @returns The files that were there. */
  fetch(folder: FollowedFolder, { content }: Made): string[] {
    const found: string[] = [];
    for (const [name, text] of Object.entries(content)) {
      const file = path.join(folder.next.folder, "talks", name);
      if (existsSync(file) && readFileSync(file, "utf8") === text) found.push(name);
      mkdirSync(path.dirname(file), { recursive: true });
      // A download writes to the file that is there.
      if (!found.includes(name)) writeFileSync(file, text);
    }
    return found;
  }

  async place(folder: FollowedFolder, item: MutableItem, options = KEPT) {
    this.#nowMs += 1000;
    return folder.place(item, { nowMs: this.#nowMs, ...options });
  }

  async update(folder: FollowedFolder, made: Made, options = KEPT) {
    await folder.prepare(made.info, made.torrent, NEVER);
    const found = this.fetch(folder, made);
    return { found, ...(await this.place(folder, made.item, options)) };
  }

  /** Everything that people see in the folder, with its text. */
  tree(below = ""): Record<string, string> {
    const found: Record<string, string> = {};
    const names = readdirSync(this.at(below), { recursive: true, encoding: "utf8" });
    for (const name of names.toSorted()) {
      const file = this.at(below, name);
      if (!name.startsWith(".everseed-follow") && statSync(file).isFile()) {
        found[name] = readFileSync(file, "utf8");
      }
    }
    return found;
  }
}

test("a version takes the place of the one before, whose other files are kept", async (t) => {
  const world = new World(t);
  const folder = await world.open();
  assert.equal(folder.version, undefined);
  assert.equal((await world.update(folder, ONE)).older, undefined);
  const inode = statSync(world.at("talks/big.bin")).ino;
  assert.deepEqual(world.tree("talks"), ONE.content);
  writeFileSync(world.at("talks/mine.txt"), "mine");

  const { found, files, older } = await world.update(folder, TWO);
  assert.deepEqual([found, files], [["big.bin"], 2]);
  assert.equal(older, world.at("talks.older/1"));
  assert.deepEqual(world.tree(), {
    "talks/big.bin": BIG,
    "talks/mine.txt": "mine",
    "talks/text.txt": "two!",
    "talks.older/1/sub/old.txt": "old",
    "talks.older/1/text.txt": "one",
  });
  assert.equal(existsSync(world.at("talks/sub")), false, "an empty folder is no part of it");
  assert.equal(statSync(world.at("talks/big.bin")).ino, inode, "what is the same is not copied");
  folder.close();
  const again = await world.open();
  assert.equal(again.version?.item.sequence, 2n);
  assert.equal(again.version?.info.name, "talks");
});

test("what people changed is neither written to nor deleted", async (t) => {
  const world = new World(t);
  const folder = await world.open();
  await world.update(folder, ONE);
  const changed = `${BIG.slice(1)}!`;
  writeFileSync(world.at("talks/big.bin"), changed);
  utimesSync(world.at("talks/big.bin"), new Date(), new Date(Date.now() + 60_000));
  const { older } = await world.update(folder, TWO, { deletesOlder: true });
  assert.equal(older, world.at("talks.older/1"));
  assert.deepEqual(world.tree(), {
    "talks/big.bin": BIG,
    "talks/text.txt": "two!",
    "talks.older/1/big.bin": changed,
  });
});

test("before the first version, files that are the same stay, and others are kept", async (t) => {
  const world = new World(t);
  mkdirSync(world.at("talks"));
  writeFileSync(world.at("talks/big.bin"), BIG);
  writeFileSync(world.at("talks/text.txt"), "my");
  const inode = statSync(world.at("talks/big.bin")).ino;
  const folder = await world.open();
  const { found } = await world.update(folder, ONE);
  assert.deepEqual(found, ["big.bin"]);
  assert.equal(statSync(world.at("talks/big.bin")).ino, inode);
  assert.deepEqual(world.tree("talks.older"), { "before/text.txt": "my" });
});

test("names that change between file and folder find their place", async (t) => {
  const world = new World(t);
  const folder = await world.open();
  await world.update(folder, version(1n, { "a/b": "in a folder", c: "a file" }));
  await world.update(folder, version(2n, { a: "a file now", "c/d": "in a folder now" }));
  assert.deepEqual(world.tree("talks"), { a: "a file now", "c/d": "in a folder now" });
  assert.deepEqual(world.tree("talks.older"), { "1/a/b": "in a folder", "1/c": "a file" });
});

test("a run that was killed while it put files in place is continued", async (t) => {
  const world = new World(t);
  const folder = await world.open();
  await world.update(folder, ONE);
  await folder.prepare(TWO.info, TWO.torrent, NEVER);
  world.fetch(folder, TWO);
  // One file of the new version is in place, and the program dies.
  mkdirSync(world.at("talks.older/1"), { recursive: true });
  renameSync(world.at("talks/text.txt"), world.at("talks.older/1/text.txt"));
  renameSync(path.join(folder.next.folder, "talks/text.txt"), world.at("talks/text.txt"));
  const state = path.join(path.dirname(folder.torrentFile), "state.json");
  const saved = JSON.parse(readFileSync(state, "utf8")) as Record<string, unknown>;
  const item = (made: Made) => ({ ...(saved["current"] as object), ...json(made.item) });
  writeFileSync(state, JSON.stringify({ ...saved, placing: item(TWO) }));
  folder.close();

  const again = await world.open();
  assert.equal(again.placing?.sequence, 2n);
  await world.place(again, again.placing);
  assert.equal(again.version?.item.sequence, 2n);
  assert.deepEqual(world.tree("talks"), TWO.content);
  assert.deepEqual(world.tree("talks.older"), { "1/sub/old.txt": "old", "1/text.txt": "one" });
});

test("a state that somebody has changed is refused", async (t) => {
  const world = new World(t);
  const folder = await world.open();
  await world.update(folder, ONE);
  const state = path.join(path.dirname(folder.torrentFile), "state.json");
  const saved = readFileSync(state, "utf8");
  for (const [from, to] of [
    ['"sequence":"1"', '"sequence":"9"'],
    ['"format":1', '"format":2'],
    ["{", ""],
  ] as const) {
    writeFileSync(state, saved.replace(from, to));
    await assert.rejects(world.open(), /state\.json is damaged/);
  }
});

function json({ publicKey, salt, sequence, signature, value }: MutableItem): object {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  return {
    publicKey: hex(publicKey),
    salt: hex(salt),
    sequence: String(sequence),
    signature: hex(signature),
    value: hex(value),
  };
}
