import {
  decodeUtf8,
  encodeUtf8,
  equalBytes,
  fromLatin1,
  toLatin1,
} from "../../../src/base/bytes.ts";
import { sha1, sha256 } from "../../../src/base/hash.ts";
import { buildMetainfo, planTorrent } from "../../../src/metainfo/create.ts";
import { formatMagnet, parseMagnet } from "../../../src/metainfo/magnet.ts";
import type { TorrentInfo, TorrentKind } from "../../../src/metainfo/metainfo.ts";
import { MetainfoError } from "../../../src/metainfo/metainfo-error.ts";
import { parseInfo, parseMetainfo } from "../../../src/metainfo/parse-metainfo.ts";
import { readRareFields } from "../../../src/metainfo/rare-fields.ts";
import { pieceHashesV2 } from "../../../src/metainfo/piece-layers.ts";
import { safeJoin } from "../../../src/base/safe-join.ts";
import type { FuzzTarget } from "../target.ts";

/** A small torrent of each kind, with made-up hashes. */
function sample(kind: TorrentKind) {
  const plan = planTorrent({
    name: "sample",
    files: [
      { path: ["a", "one.bin"], length: 40_000 },
      { path: ["a", "empty"], length: 0 },
      { path: ["b.txt"], length: 1000, executable: true },
    ],
    kind,
    pieceLength: 16_384,
  });
  const pieces = plan.geometry.pieceCount;
  const hashes = (bytes: number) => new Uint8Array(pieces * bytes).map((_, i) => i % 251);
  return buildMetainfo(
    plan,
    { v1: hashes(20), v2: hashes(32) },
    {
      trackers: [["http://a.example/announce", "udp://b.example:80"], ["wss://c.example"]],
      webSeeds: ["https://d.example/"],
      private: true,
      comment: "c",
      source: "s",
      creationDate: 1_700_000_000,
    },
  );
}

const samples = (["v1", "v2", "hybrid"] as const).map(sample);

/** Documents as programs write them: repeated keys, zeros, junk after the end, wrong types. */
const odd = [
  "d7:commenti5e7:comment1:b4:infod6:lengthi05e4:attri5e4:name2:n\0" +
    "12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee\njunk",
  "d4:infod5:filesld6:lengthi5e6:lengthi5e4:pathl1:aeed4:attr1:l4:pathl1:be12:symlink pathl1:aeee" +
    "4:name1:n12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee",
].map(fromLatin1);

/** What holds for every accepted torrent, whatever its origin. */
function checkInfo(info: TorrentInfo): void {
  const { geometry } = info;
  let end = 0;
  const paths = new Set<string>();
  for (const file of info.files) {
    if (file.offset < end) throw new Error("files overlap");
    end = file.offset + file.length;
    if (file.pad) continue;
    const path = safeJoin("/root", file.path);
    if (paths.has(path.toLowerCase())) throw new Error("two files have one path");
    paths.add(path.toLowerCase());
    if (!path.startsWith("/root/") || /[\0-\x1f\\:]|\/\.{0,2}(\/|$)/.test(path)) {
      throw new Error(`unsafe path ${path}`);
    }
    if (file.linkTarget) safeJoin("/root", file.linkTarget);
  }
  if (!Number.isSafeInteger(end)) throw new Error("the space is too large");
  for (let piece = 0; piece < Math.min(geometry.pieceCount, 50); piece += 1) {
    const size = geometry.pieceSize(piece);
    const request = geometry.requestSize(piece);
    if (size < 1 || size > geometry.pieceLength || request < 0 || request > size) {
      throw new Error(`piece ${piece} has ${size} bytes, ${request} to request`);
    }
  }
  const { v1, v2 } = info.infohashes;
  if (v1 && !equalBytes(v1, sha1(info.infoBytes))) throw new Error("wrong v1 infohash");
  if (v2 && !equalBytes(v2, sha256(info.infoBytes))) throw new Error("wrong v2 infohash");
  if (info.pieceHashes && info.pieceHashes.length !== geometry.pieceCount * 20) {
    throw new Error("wrong count of hashes");
  }
}

/** A parsed torrent has no field left that could be refused. */
function checkRareFields(input: Uint8Array, info: TorrentInfo): void {
  let files = 0;
  try {
    const read = readRareFields(input, info).files();
    while (!read.next().done) files += 1;
  } catch (error) {
    throw new Error("rare fields of a parsed torrent were refused", { cause: error });
  }
  if (files !== info.files.length) throw new Error(`${files} of ${info.files.length} files`);
}

const metainfo: FuzzTarget = {
  name: "metainfo",
  corpus: [...samples.map(({ torrent }) => torrent), ...odd],
  refusals: [MetainfoError],
  run: (input) => {
    const { info, pieceLayers, byteLength } = parseMetainfo(input);
    checkInfo(info);
    const { infohashes } = parseMetainfo(input.subarray(0, byteLength)).info;
    if (!equalBytes(infohashes.v1 ?? infohashes.v2!, info.infohashes.v1 ?? info.infohashes.v2!)) {
      throw new Error("what follows a torrent changed its infohash");
    }
    checkRareFields(input, info);
    if (info.geometry.pieceCount < 1000) pieceHashesV2(info, pieceLayers);
  },
};

const info: FuzzTarget = {
  name: "info",
  corpus: samples.map(({ infoBytes }) => infoBytes),
  refusals: [MetainfoError],
  run: (input) => checkInfo(parseInfo(input)),
};

const magnet: FuzzTarget = {
  name: "magnet",
  corpus: [
    "magnet:?xt=urn:btih:0a5dea2cdd028350e51cf424f6ce18cca73cc3d2&dn=a%20b+c&xl=5",
    "magnet:?xt=urn:btih:BJO6ULG5AKBVBZI46QSPNTQYZSTTZQ6S&tr.1=udp%3A%2F%2Fa%3A1&so=0,2,4,6-8",
    "magnet:?xt=urn:btmh:122042b1b70f8b93b013878ecbfe328a01d7c8ab3001c6cfc806a70d549defd9c492&x.pe=[::1]:5&ws=http://w/",
  ].map(encodeUtf8),
  refusals: [MetainfoError],
  run: (input) => {
    const link = parseMagnet(decodeUtf8(input));
    const again = parseMagnet(formatMagnet(link));
    if (formatMagnet(again) !== formatMagnet(link)) {
      throw new Error(`no round trip: ${toLatin1(encodeUtf8(formatMagnet(link)))}`);
    }
  },
};

export const targets: readonly FuzzTarget[] = [metainfo, info, magnet];
