import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../../src/base/bytes.ts";
import { sha1, sha256 } from "../../src/base/hash.ts";
import { KNOWN_CONTENT_PATH } from "../../src/api/paths.ts";
import type { DraftPieces, KnownContent } from "../../src/api/drafts.ts";
import type { TorrentSummary } from "../../src/api/torrents.ts";
import { blocksOf, merkleRoot, pieceCountOf, piecesOf } from "../../web/publish/piece-plan.ts";
import { hubWorld, problemOf, type World } from "./hub-world.ts";

type Kind = TorrentSummary["kind"];

const pieceSize = 32_768;
/** In v1 order; a v2 tree has "a/…" before "a b.bin". */
const CONTENTS = {
  "a b.bin": bytes(pieceSize, 1),
  "a/deep.bin": bytes(3 * pieceSize + 20_000, 2),
  "a/empty": new Uint8Array(0),
  "ab.bin": bytes(5, 3),
  "z.bin": bytes(16_385, 4),
};
const TREE_ORDER = ["a/deep.bin", "a/empty", "a b.bin", "ab.bin", "z.bin"] as const;

function bytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 17 + (at >> 8)) & 255);
}

/** As the page hashes them. */
function hashesOf(files: readonly Uint8Array<ArrayBuffer>[], kind: Kind): DraftPieces {
  const sizes = files.map(({ length }) => length);
  const all = new Uint8Array(concatBytes(files));
  const v1: Uint8Array[] = [];
  const v2: Uint8Array[] = [];
  let at = 0;
  for (const { length, padding, leaves } of piecesOf(sizes, pieceSize, kind)) {
    const piece = all.subarray(at, at + length);
    at += length;
    v1.push(sha1(concatBytes([piece, new Uint8Array(padding)])));
    const blocks = blocksOf(piece).map((block) => sha256(block));
    v2.push(kind === "v1" ? new Uint8Array(32) : merkleRoot(blocks, leaves, sha256));
  }
  assert.equal(v1.length, pieceCountOf(sizes, pieceSize, kind));
  return {
    ...(kind !== "v2" && { v1: concatBytes(v1).toBase64() }),
    ...(kind !== "v1" && { v2: concatBytes(v2).toBase64() }),
  };
}

function question(paths: readonly (keyof typeof CONTENTS)[], kind: Kind) {
  const files = paths.map((path) => CONTENTS[path]);
  return {
    name: "talks",
    folder: true,
    files: paths.map((path) => ({ path, size: CONTENTS[path].length })),
    kind,
    pieceSize,
    pieces: hashesOf(files, kind),
  };
}

async function ask(world: World, json: object): Promise<KnownContent> {
  const response = await world.call(KNOWN_CONTENT_PATH, { headers: await world.program(), json });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as KnownContent;
}

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(`MET-23: content of kind ${kind} is recognised by the hashes that the page computes, before an upload`, async (t) => {
    const world = await hubWorld(t);
    const paths = kind === "v1" ? (Object.keys(CONTENTS) as (keyof typeof CONTENTS)[]) : TREE_ORDER;
    const asked = question(paths, kind);
    assert.equal((await ask(world, asked)).torrent, null, "not yet");
    const id = await world.publish(CONTENTS, { name: "talks", title: "Talks!", kind, pieceSize });
    assert.equal((await ask(world, asked)).torrent?.id, id);
    assert.equal((await ask(world, { ...asked, title: "Another" })).torrent?.id, id);
    assert.equal((await ask(world, { ...asked, private: true })).torrent, null);
    const turned = question(paths.toReversed(), kind);
    assert.equal((await ask(world, turned)).torrent, null, "in another order nothing is found");
    const lists = await world.call("/api/v1/drafts", { headers: await world.program() });
    assert.deepEqual(await lists.json(), { drafts: [] }, "nothing is begun");
  });
}

test("one file of each kind is recognised, whatever part of a piece it fills", async (t) => {
  const world = await hubWorld(t);
  for (const kind of ["v1", "v2", "hybrid"] as const) {
    for (const [at, length] of [1, 16_384, 16_385, 32_768, 32_769, 150_000].entries()) {
      const content = bytes(length, at + 9);
      const name = `${kind} ${length}.bin`;
      const id = await world.publish({ [name]: content }, { name, folder: false, kind, pieceSize });
      const files = [{ path: name, size: length }];
      const pieces = hashesOf([content], kind);
      const asked = { name, folder: false, files, kind, pieceSize, pieces };
      assert.equal((await ask(world, asked)).torrent?.id, id, name);
    }
  }
});

test("HUB-19, HUB-11: damaged content is not recognised, invalid hashes and strangers are refused", async (t) => {
  const world = await hubWorld(t);
  const paths = Object.keys(CONTENTS) as (keyof typeof CONTENTS)[];
  const asked = question(paths, "v1");
  const id = await world.publish(CONTENTS, { name: "talks", kind: "v1", pieceSize });
  assert.equal((await ask(world, asked)).torrent?.id, id);
  assert.equal((await world.call(KNOWN_CONTENT_PATH, { json: asked })).status, 401);
  const headers = await world.program();
  const many = Array.from({ length: 10_001 }, (_, at) => ({ path: `${at}`, size: 1 }));
  for (const odd of [
    { ...asked, pieces: {} },
    { ...asked, pieces: { v1: "" } },
    { ...asked, pieces: { v1: "no base64!" } },
    { ...asked, pieces: { ...asked.pieces, v2: "" } },
    { ...asked, kind: "hybrid" },
    { ...asked, files: many },
  ]) {
    const response = await world.call(KNOWN_CONTENT_PATH, { headers, json: odd });
    assert.equal((await problemOf(response)).status, 400);
  }
  await world.disk.remove((await world.parts.catalogue.file(id, 0))!.location);
  assert.equal((await ask(world, asked)).torrent, null, "its bytes are wanted");
});
