import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { encodeUtf8, fromLatin1, toHex } from "../base/bytes.ts";
import { sha1 } from "../base/hash.ts";
import { dictOf, encode, type Encodable } from "../bencode/encode.ts";
import { buildMetainfo, planTorrent } from "./create.ts";
import { MetainfoError } from "./metainfo-error.ts";
import { METAINFO_BYTES_MAX, parseMetainfo } from "./parse-metainfo.ts";

const INFO = dictOf({
  name: "n",
  length: 5,
  "piece length": 16_384,
  pieces: new Uint8Array(20),
});

function torrent(fields: Record<string, Encodable | undefined>): Uint8Array {
  return encode(dictOf({ info: INFO, ...fields }));
}

test("MET-22: a file of another kind is named for what it is", () => {
  for (const [bytes, code, message] of [
    [encodeUtf8("<!DOCTYPE html><html><body>Sign in"), "not-a-torrent", /web page/],
    [encodeUtf8("\ufeff\r\n  <html>"), "not-a-torrent", /web page/],
    [gzipSync(torrent({})), "not-a-torrent", /compressed file \(gzip\)/],
    [encodeUtf8("PK\u0003\u0004rest"), "not-a-torrent", /compressed file \(zip\)/],
    [encodeUtf8("magnet:?xt=urn:btih:00"), "not-a-torrent", /magnet link/],
    [new Uint8Array(0), "not-a-torrent", /empty/],
    [encodeUtf8("le"), "not-a-torrent", /no dictionary/],
    [encodeUtf8('{"error":"not found"}'), "bad-bencode", /damaged/],
    [encodeUtf8("Not Found"), "bad-bencode", /damaged/],
    [torrent({}).subarray(0, 40), "bad-bencode", /damaged.*truncated/],
    [encodeUtf8("d4:infod4:name1:ae4:infodee"), "repeated-key", /"info" stands there twice/],
    [encodeUtf8("de"), "missing-key", /"info"/],
    [torrent({ info: 5 }), "bad-type", /"info"/],
  ] as const) {
    assert.throws(
      () => parseMetainfo(bytes),
      (error) =>
        error instanceof MetainfoError && error.code === code && message.test(error.detail),
      message.source,
    );
  }
});

test("the bytes limit is 30 MiB, and lower where the caller says so", () => {
  const bytes = torrent({ comment: "x".repeat(2000) });
  assert.throws(() => parseMetainfo(bytes, { bytesMax: 2000 }), { code: "too-large" });
  assert.throws(() => parseMetainfo(torrent({ x: new Uint8Array(METAINFO_BYTES_MAX) })), {
    code: "too-large",
    message: /at most 31457280/,
  });
});

test("an ordinary torrent has no warnings", () => {
  const bytes = torrent({
    announce: "http://ignored/",
    "announce-list": [["http://a/x", "udp://b:80/announce"], ["wss://c/"]],
    "url-list": "http://w/",
    nodes: [
      ["host.example", 1],
      ["2001:db8::1", 2],
    ],
    comment: "c",
    "comment.utf-8": "\u00fc",
    "created by": "me",
    "creation date": 1_700_000_000,
    encoding: "UTF-8",
  });
  const parsed = parseMetainfo(bytes);
  assert.deepEqual(parsed.warnings, []);
  assert.deepEqual(parsed.trackers, [["http://a/x", "udp://b:80/announce"], ["wss://c/"]]);
  assert.deepEqual(parsed.webSeeds, ["http://w/"]);
  assert.deepEqual(parsed.nodes, ["host.example:1", "[2001:db8::1]:2"]);
  assert.equal(parsed.comment, "\u00fc");
  assert.equal(parsed.createdBy, "me");
  assert.equal(parsed.creationDate, 1_700_000_000);
  assert.equal(parsed.pieceLayers.size, 0);
  assert.equal(toHex(parsed.info.infohashes.v1!), toHex(sha1(encode(INFO))));
});

test("MET-16: dates of no calendar are unknown", () => {
  for (const date of [2n ** 62n, -(2n ** 62n), 2 ** 53 - 1, -1, "yesterday", [1]]) {
    const parsed = parseMetainfo(torrent({ "creation date": date }));
    assert.equal(parsed.creationDate, undefined);
    assert.equal(parsed.warnings.length, 1);
  }
  assert.equal(parseMetainfo(torrent({ "creation date": 0 })).creationDate, 0);
});

test("MET-17: URL fields of the wrong type are left out with a warning", () => {
  const wrong: readonly Encodable[] = [5, dictOf({}), ["x"], [[5]], [[["http://a/"]]], "", "x"];
  for (const value of wrong) {
    const parsed = parseMetainfo(torrent({ "announce-list": value, nodes: 5 }));
    assert.deepEqual([parsed.trackers, parsed.nodes], [[], []]);
    assert.equal(parsed.warnings.length, 2, JSON.stringify(parsed.warnings));
  }
  for (const value of [5, dictOf({}), [5, ["http://w/"]], "x", ["ftp://w/"]]) {
    const parsed = parseMetainfo(torrent({ "url-list": value, announce: value }));
    assert.deepEqual([parsed.webSeeds, parsed.trackers], [[], []]);
    assert.equal(parsed.warnings.length, 2, JSON.stringify(parsed.warnings));
  }
  for (const node of [
    5,
    [],
    ["host"],
    ["host", "1"],
    ["host", 0],
    ["host", 65_536],
    ["a b", 1],
    [1, 1],
  ]) {
    const parsed = parseMetainfo(torrent({ nodes: [node, ["ok", 1]] }));
    assert.deepEqual(parsed.nodes, ["ok:1"]);
    assert.equal(parsed.warnings.length, 1);
  }
});

test("MET-17: 50,000 entries, 100 kB URLs and line breaks are left out", () => {
  const many = Array.from({ length: 50_000 }, (_, i) => `http://t${i}/`);
  const parsed = parseMetainfo(
    torrent({
      "announce-list": many.map((url) => [url]),
      "url-list": many,
      nodes: many.map((_, i) => ["h", 1 + i]),
    }),
  );
  assert.equal(parsed.trackers.length, 100);
  assert.equal(parsed.webSeeds.length, 100);
  assert.equal(parsed.nodes.length, 100);
  assert.match(parsed.warnings[0]!, /^49900 tracker entries/);
  const odd = [`http://a/${"x".repeat(100_000)}`, "http://a/\r\nHost: b", "http://a b/", "http://"];
  const left = parseMetainfo(
    torrent({ "announce-list": [[...odd, "http://ok/"]], "url-list": odd }),
  );
  assert.deepEqual(left.trackers, [["http://ok/"]]);
  assert.deepEqual(left.webSeeds, []);
});

test("MET-18: only fetchable schemes are kept", () => {
  const hostile = [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "gopher://x/",
    "data:text/html,x",
    "ftp://x/",
  ];
  const parsed = parseMetainfo(torrent({ "announce-list": [hostile], "url-list": hostile }));
  assert.deepEqual([parsed.trackers, parsed.webSeeds], [[], []]);
  const mixed = parseMetainfo(
    torrent({ announce: "UDP://A:1", "url-list": ["udp://a:1", "HTTPS://b/"] }),
  );
  assert.deepEqual(mixed.trackers, [["UDP://A:1"]]);
  assert.deepEqual(mixed.webSeeds, ["HTTPS://b/"]);
});

test("BEP 12: the list takes precedence over the single announce; a flat list and repeats are understood", () => {
  const trackers = (fields: Record<string, Encodable>) => parseMetainfo(torrent(fields)).trackers;
  assert.deepEqual(trackers({ announce: "http://a/" }), [["http://a/"]]);
  assert.deepEqual(trackers({ announce: "http://a/", "announce-list": [] }), [["http://a/"]]);
  assert.deepEqual(trackers({ "announce-list": ["http://a/", "http://b/"] }), [
    ["http://a/"],
    ["http://b/"],
  ]);
  assert.deepEqual(trackers({ "announce-list": [["http://a/"], ["http://a/", " http://b/ "]] }), [
    ["http://a/"],
    ["http://b/"],
  ]);
});

test("texts are cut, and invalid UTF-8 is replaced", () => {
  const parsed = parseMetainfo(
    torrent({ comment: "x".repeat(100_000), "created by": fromLatin1("\u00ff") }),
  );
  assert.equal(parsed.comment?.length, 16_384);
  assert.equal(parsed.createdBy, "\ufffd");
  assert.equal(parseMetainfo(torrent({ comment: 5 })).comment, undefined);
});

test("MET-12: 200,000 files, in one folder as v1 and in folders of their own as v2, stay small", () => {
  for (const [kind, path] of [
    ["v1", (index: number) => [String(index)]],
    ["v2", (index: number) => [String(index), "f"]],
  ] as const) {
    const files = Array.from({ length: 200_000 }, (_, index) => ({ path: path(index), length: 1 }));
    const plan = planTorrent({ name: "n", files, kind, pieceLength: 16_384 });
    const { pieceCount } = plan.geometry;
    const made = buildMetainfo(plan, {
      v1: new Uint8Array(20 * pieceCount),
      v2: new Uint8Array(32 * pieceCount).fill(1),
    });
    const before = process.memoryUsage().heapUsed;
    const parsed = parseMetainfo(made.torrent);
    // No garbage collection is forced, so this measures what the run took, not what it keeps.
    const taken = process.memoryUsage().heapUsed - before;
    assert.equal(parsed.info.files.length, 200_000);
    assert.ok(taken < 300_000_000, `${kind}: ${taken} bytes`);
  }
});

test("MET-12: three million pieces, in a file of 60 MB where the caller allows it", () => {
  const pieces = 3_000_000;
  const info = dictOf({
    name: "n",
    length: pieces * 16_384,
    "piece length": 16_384,
    pieces: new Uint8Array(20 * pieces),
  });
  const bytes = torrent({ info });
  assert.throws(() => parseMetainfo(bytes), { code: "too-large" });
  const parsed = parseMetainfo(bytes, { bytesMax: 64 * 1024 * 1024 });
  assert.equal(parsed.info.geometry.pieceCount, pieces);
});
