import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import { decode } from "../bencode/decode.ts";
import { buildMetainfo, planTorrent } from "./create.ts";
import { parseMetainfo } from "./parse-metainfo.ts";
import { surroundInfo } from "./surround-info.ts";

const PLAN = planTorrent({
  name: "a.bin",
  files: [{ path: [], length: 40_000 }],
  kind: "hybrid",
  pieceLength: 16_384,
});
const MEASURED = { v1: new Uint8Array(60).fill(1), v2: new Uint8Array(96).fill(2) };

test("surrounding an info dictionary gives the same bytes as building the torrent", () => {
  const options = { comment: "words", webSeeds: ["http://a.example/x"], creationDate: 7 };
  for (const trackers of [
    [],
    [["http://a.example/announce"]],
    [["http://a.example/announce"], ["udp://b.example:1", "udp://c.example:1"]],
  ]) {
    const { torrent } = buildMetainfo(PLAN, MEASURED, { ...options, trackers });
    const old = buildMetainfo(PLAN, MEASURED, {
      trackers: [["http://old.example/announce"], ["udp://old.example:1"]],
      comment: "old",
      creationDate: 7,
      webSeeds: ["http://old.example/1", "http://old.example/2"],
    });
    assert.deepEqual(surroundInfo(old.torrent, { ...options, trackers }), torrent);
    const { infoBytes } = parseMetainfo(old.torrent).info;
    assert.deepEqual(surroundInfo(old.torrent, { ...options, trackers }, infoBytes), torrent);
  }
});

test("BEN-8: the info dictionary and all other values keep their bytes, even in an unsorted file", () => {
  // Keys of `info` out of order, an old text beside the new one, and an unknown value.
  const info = "d4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaa6:lengthi5ee";
  const odd = fromLatin1(
    `d4:info${info}7:comment3:old13:comment.utf-83:old1:zd1:bi1e1:ai2ee8:announce6:http:/4:junklee`,
  );
  const made = surroundInfo(odd, {
    trackers: [["http://hub.example/announce"]],
    webSeeds: [],
    comment: "new",
  });
  const spans = new Map<string, Uint8Array>();
  decode(made, { lax: true, spans });
  assert.equal(toLatin1(spans.get("info")!), info);
  assert.equal(toLatin1(spans.get("z")!), "d1:bi1e1:ai2ee");
  const [before, after] = [parseMetainfo(odd), parseMetainfo(made)];
  assert.deepEqual(after.info.infohashes, before.info.infohashes);
  assert.equal(after.comment, "new");
  assert.deepEqual(after.trackers, [["http://hub.example/announce"]]);
  assert.equal(
    parseMetainfo(surroundInfo(made, { trackers: [], webSeeds: [] })).comment,
    undefined,
  );
});
