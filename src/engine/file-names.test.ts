import assert from "node:assert/strict";
import { test } from "node:test";
import { buildMetainfo, planTorrent } from "../metainfo/create.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import { withPath } from "../metainfo/file-table.ts";
import { withNames } from "./file-names.ts";
import { FileLayout } from "./webseed/web-seed-layout.ts";

function talks(): TorrentInfo {
  const files = ["a.txt", "deep/b.txt"].map((path) => ({ path: path.split("/"), length: 3 }));
  const plan = planTorrent({ name: "talks", kind: "v1", pieceLength: 16_384, files });
  const built = buildMetainfo(plan, { v1: new Uint8Array(20 * plan.geometry.pieceCount) });
  return parseMetainfo(built.torrent).info;
}

test("web servers are asked for the torrent's own names, whatever the owner calls its files", () => {
  const info = talks();
  const renamed = withNames(info, { talks: "lectures", "talks/deep/b.txt": "second.txt" });
  assert.deepEqual(renamed.files[1]!.path, ["lectures", "deep", "second.txt"]);
  const layout = new FileLayout("http://mirror.example/pub/", renamed);
  const { request } = layout.plan(info.files[1]!.offset, 3);
  assert.equal(request.url, "http://mirror.example/pub/talks/deep/b.txt");
});

test("a link leads to what it led to, under its new name", () => {
  const info = talks();
  const files = [info.files[0]!, withPath(info.files[1]!, ["talks", "link"], ["talks", "a.txt"])];
  const names = { "talks/a.txt": "first.txt" };
  assert.deepEqual(withNames({ ...info, files }, names).files[1]!.linkTarget, [
    "talks",
    "first.txt",
  ]);
  assert.equal(withNames(info, {}), info);
  assert.equal(withNames(info, { other: "x" }).files[0], info.files[0]);
});
