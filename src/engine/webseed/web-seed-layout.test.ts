import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "../../base/bytes.ts";
import { planTorrent, buildMetainfo } from "../../metainfo/create.ts";
import type { TorrentInfo, TorrentKind } from "../../metainfo/metainfo.ts";
import { parseMetainfo } from "../../metainfo/parse-metainfo.ts";
import { withVisibleName } from "../visible-name.ts";
import { FileLayout, PieceLayout, REQUEST_BYTES_MAX } from "./web-seed-layout.ts";

function infoOf(
  name: string,
  files: readonly { path: readonly string[]; length: number }[],
  kind: TorrentKind = "v1",
): TorrentInfo {
  const plan = planTorrent({ name, kind, pieceLength: 65_536, files });
  const { pieceCount } = plan.geometry;
  const hashes = {
    v1: new Uint8Array(20 * pieceCount).fill(1),
    v2: new Uint8Array(32 * pieceCount).fill(1),
  };
  return parseMetainfo(buildMetainfo(plan, hashes).torrent).info;
}

function urlOf(url: string, info: TorrentInfo, offset = 0): string {
  return new FileLayout(url, info).plan(offset, 1).request.url;
}

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(`BEP 19: the URL of a single file (${kind}) is complete, unless it ends in a slash`, () => {
    const info = infoOf("a b+c.iso", [{ path: [], length: 100_000 }], kind);
    assert.equal(urlOf("http://m.example/x", info), "http://m.example/x");
    assert.equal(urlOf("http://m.example/d/", info), "http://m.example/d/a%20b%2Bc.iso");
  });

  test(`BEP 19: files of a folder (${kind}) are below its name, and each part is escaped`, () => {
    const files = [
      { path: ["100% #1?.txt"], length: 70_000 },
      { path: ["ü", "b&c;d"], length: 10 },
    ];
    const info = infoOf("my folder", files, kind);
    const second = info.files.find(({ path }) => path[1] === "ü")!;
    const base = "http://m.example/pub/my%20folder";
    assert.equal(urlOf("http://m.example/pub", info), `${base}/100%25%20%231%3F.txt`);
    assert.equal(urlOf("http://m.example/pub/", info, second.offset), `${base}/%C3%BC/b%26c%3Bd`);
  });
}

test("a torrent that is stored under another name keeps its own on the web", () => {
  const info = withVisibleName(infoOf(".config", [{ path: ["a"], length: 5 }]));
  assert.equal(info.files[0]!.path[0], "_.config");
  assert.equal(urlOf("http://m.example", info), "http://m.example/.config/a");
  const single = withVisibleName(infoOf(".profile", [{ path: [], length: 5 }]));
  assert.equal(urlOf("http://m.example/", single), "http://m.example/.profile");
});

test("one request ends with its file, and is never longer than the limit", () => {
  const info = infoOf("n", [
    { path: ["a"], length: 100 },
    { path: ["b"], length: 3 * REQUEST_BYTES_MAX },
  ]);
  const layout = new FileLayout("http://m.example/", info);
  const first = layout.plan(40, 1000);
  assert.deepEqual(first.request.range, { first: 40, last: 99 });
  assert.deepEqual([first.length, first.file], [60, 0]);
  const second = layout.plan(100, 2 * REQUEST_BYTES_MAX);
  assert.deepEqual(second.request.range, { first: 0, last: REQUEST_BYTES_MAX - 1 });
  assert.deepEqual([second.length, second.file], [REQUEST_BYTES_MAX, 1]);
});

test("BEP 17: a request names the torrent, the piece and the part of it", () => {
  const info = infoOf("n", [{ path: [], length: 200_000 }]);
  const infohash = fromHex("00ff20617e".padEnd(40, "1"))!;
  const escaped = `%00%ff%20%61%7e${"%11".repeat(15)}`;
  const plain = new PieceLayout("http://s.example/seed.php", info, infohash);
  const planned = plain.plan(65_536 + 16_384, 100_000);
  assert.equal(
    planned.request.url,
    `http://s.example/seed.php?info_hash=${escaped}&piece=1&ranges=16384-65535`,
  );
  assert.deepEqual([planned.request.range, planned.length, planned.file], [undefined, 49_152, -1]);
  for (const [url, begin] of [
    ["http://s.example/?key=1", "http://s.example/?key=1&info_hash="],
    ["http://s.example/?", "http://s.example/?info_hash="],
    ["http://s.example/?key=1&", "http://s.example/?key=1&info_hash="],
  ] as const) {
    assert.ok(new PieceLayout(url, info, infohash).plan(0, 1).request.url.startsWith(begin), url);
  }
});
