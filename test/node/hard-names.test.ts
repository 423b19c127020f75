import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { TRANSFERS_PATH, transferPath } from "../../src/api/paths.ts";
import { encodeUtf8 } from "../../src/base/bytes.ts";
import { sha1 } from "../../src/base/hash.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { startNode, untilState } from "./transfers-node.ts";

// Names that some disks, or all of them, do not take: through whole nodes, on a real disk.

const PIECE = 16_384;

/** A v1 torrent of small files whose names are written as they are given. */
function torrentOf(paths: readonly (readonly string[])[]) {
  const contents = paths.map((_, index) => Buffer.alloc(100, index + 1));
  const info = dictOf({
    name: encodeUtf8("hard"),
    "piece length": PIECE,
    pieces: sha1(Buffer.concat(contents)),
    files: paths.map((path) => dictOf({ length: 100, path: path.map((name) => encodeUtf8(name)) })),
  });
  const bytes = encode(dictOf({ info }));
  return { bytes, contents, files: parseMetainfo(bytes).info.files };
}

test("STO-12 names that differ in case alone, of devices, with ends that get lost, and too long ones: all files arrive, each at a place of its own", async (t) => {
  const folder = temporaryFolder(t, "everseed-names-");
  const { bytes, contents, files } = torrentOf([
    ["README"],
    ["readme"],
    ["con"],
    ["AUX.txt"],
    ["ends with a dot."],
    ["a:b?c"],
    [`${"n".repeat(300)}.txt`],
    [`${"é".repeat(200)}`, "deep"],
    [".."],
  ]);
  const content = join(folder, "content");
  for (const [index, { path }] of files.entries()) {
    const place = join(content, ...path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, contents[index]!);
  }
  const folded = files.map(({ path }) => path.join("/").toLowerCase());
  assert.equal(new Set(folded).size, files.length, "a disk that folds case keeps them apart");
  const seeder = await startNode(t, join(folder, "here"));
  const query = `?folder=${encodeURIComponent(content)}`;
  const { id } = await seeder.send("POST", `${TRANSFERS_PATH}/torrent${query}`, bytes);
  await untilState(seeder, id, "seeding");
  const node = await startNode(t, join(folder, "there"));
  await node.send("POST", `${TRANSFERS_PATH}/torrent`, bytes);
  await node.send("PATCH", transferPath(id), { addPeers: [`127.0.0.1:${seeder.port}`] });
  await untilState(node, id, "seeding");
  for (const [index, { path }] of files.entries()) {
    const place = join(folder, "there", "downloads", ...path);
    assert.deepEqual(readFileSync(place), contents[index], path.join("/"));
  }
});

test("STO-12 a path that is longer than the system allows: only that transfer waits, and it names the path", async (t) => {
  const folder = temporaryFolder(t, "everseed-deep-");
  const deep = Array.from({ length: 30 }, () => "d".repeat(200));
  const { bytes } = torrentOf([[...deep, "x"]]);
  const other = torrentOf([["fine"]]);
  const content = join(folder, "content");
  mkdirSync(join(content, "hard"), { recursive: true });
  writeFileSync(join(content, "hard", "fine"), other.contents[0]!);
  const node = await startNode(t, folder);
  const { id } = await node.send("POST", `${TRANSFERS_PATH}/torrent`, bytes);
  const query = `?folder=${encodeURIComponent(content)}`;
  const fine = await node.send("POST", `${TRANSFERS_PATH}/torrent${query}`, other.bytes);
  const { cause } = await untilState(node, id, "waiting");
  assert.match(cause!, /d{200}.* is too long/);
  await untilState(node, fine.id, "seeding");
  assert.deepEqual(readdirSync(join(folder, "downloads")), []);
});
