import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { concatBytes, equalBytes, fromHex, toHex, toLatin1 } from "../base/bytes.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { sha1, sha256 } from "../base/hash.ts";
import { isDict, isList, type BencodeValue } from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { encode } from "../bencode/encode.ts";
import {
  autoPieceLength,
  buildMetainfo,
  planTorrent,
  type BuildOptions,
  type InputFile,
  type PlanMeasure,
  type TorrentPlan,
} from "./create.ts";
import { pieceNode } from "./merkle.ts";
import type { TorrentKind } from "./metainfo.ts";
import { parseMetainfo } from "./parse-metainfo.ts";
import { pieceHashesV2 } from "./piece-layers.ts";

const KINDS: readonly TorrentKind[] = ["v1", "v2", "hybrid"];

/** Hashes the pieces of a plan whose files all have the bytes i mod 251, as those of `test/vectors/vectors.json`. */
function measure(plan: TorrentPlan): Required<PlanMeasure> {
  const { geometry } = plan;
  const v1: Uint8Array[] = [];
  const v2: Uint8Array[] = [];
  for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
    const spans = geometry.spans(piece * geometry.pieceLength, geometry.pieceLength);
    const parts = spans.map(({ file, offset, length }) =>
      new Uint8Array(length).map((_, i) => (plan.files[file]!.pad ? 0 : (offset + i) % 251)),
    );
    v1.push(sha1(concatBytes(parts)));
    const [first] = parts;
    const leaves: Uint8Array[] = [];
    for (let offset = 0; offset < first!.length; offset += BLOCK_BYTES) {
      leaves.push(sha256(first!.subarray(offset, offset + BLOCK_BYTES)));
    }
    const alone = plan.files[spans[0]!.file]!.length <= geometry.pieceLength;
    v2.push(pieceNode(concatBytes(leaves), { pieceLength: geometry.pieceLength, alone }));
  }
  return { v1: concatBytes(v1), v2: concatBytes(v2) };
}

function make(
  options: { name: string; files: readonly InputFile[]; kind: TorrentKind; pieceLength?: number },
  build: BuildOptions = {},
) {
  const plan = planTorrent({ pieceLength: 32_768, ...options });
  return buildMetainfo(plan, measure(plan), build);
}

/** A single file, or a folder of these files. */
const SINGLE = { name: "a.bin", files: [{ path: [], length: 40_000 }] };
const TWO = {
  name: "two",
  files: [
    { path: ["b.bin"], length: 1000 },
    { path: ["a.bin"], length: 40_000 },
  ],
};
/** Names that sort differently by path and by tree: `a-b` < `a/x` only by path. */
const TREE = {
  name: "tree",
  files: [
    { path: ["z.txt"], length: 100 },
    { path: ["a", "x.bin"], length: 40_000 },
    { path: ["a", "z", "q.bin"], length: 70_000 },
    { path: ["b", "one"], length: 1 },
    { path: ["a.txt"], length: 16_384 },
    { path: ["B", "two"], length: 32_768 },
    { path: ["empty"], length: 0 },
    { path: ["a", "\u00e9a.txt"], length: 50 },
    { path: ["a-b"], length: 33 },
    { path: ["exec.sh"], length: 20, executable: true },
  ],
};

interface Bep52 {
  readonly bep52: {
    readonly infohashes: readonly { what: string; v1?: string; v2?: string }[];
    readonly v1_pieces: Readonly<Record<string, readonly string[]>>;
    readonly roots: readonly (readonly [number, number, string, readonly string[]])[];
  };
}

const { bep52 } = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as Bep52;

function expected(what: string) {
  const row = bep52.infohashes.find((entry) => entry.what.startsWith(what));
  assert.ok(row, what);
  return row;
}

test("a plan that makes no torrent is refused", () => {
  const plan = (options: Partial<Parameters<typeof planTorrent>[0]>) => () =>
    planTorrent({ ...SINGLE, kind: "v1", pieceLength: 16_384, ...options });
  for (const [options, message] of [
    [{ files: [] }, /no file/],
    [{ name: "" }, /no name/],
    [{ name: ".." }, /no name/],
    [{ name: "a/b" }, /no name/],
    [{ files: [{ path: ["a", ".."], length: 1 }] }, /no name/],
    [{ files: [{ path: ["a\0"], length: 1 }] }, /no name/],
    [{ files: [...SINGLE.files, ...SINGLE.files] }, /folder/],
    [{ files: [...SINGLE.files, { path: ["b"], length: 1 }] }, /no path/],
    [{ files: [{ path: [], length: -1 }] }, /-1 bytes/],
    [{ files: [{ path: [], length: 1.5 }] }, /1.5 bytes/],
    [{ files: [TWO.files[0]!, TWO.files[0]!] }, /twice/],
    [{ pieceLength: 0 }, /power of two/],
    [{ pieceLength: 8192 }, /power of two/],
    [{ pieceLength: 20_000 }, /power of two/],
    [{ pieceLength: 2 ** 29 }, /power of two/],
    [{ files: [{ path: [], length: 2 ** 50 }] }, /larger pieces/],
  ] as const) {
    assert.throws(plan(options), { code: "bad-plan", message }, JSON.stringify(options));
  }
  for (const build of [
    { trackers: [["javascript:alert(1)"]] },
    { trackers: [["http://ok/"], ["ftp://x/"]] },
    { webSeeds: ["udp://x:1"] },
  ]) {
    assert.throws(() => make({ ...SINGLE, kind: "v1" }, build), { code: "bad-plan" });
  }
  assert.throws(
    () =>
      make({
        name: "t",
        kind: "v2",
        files: [
          { path: ["a"], length: 1 },
          { path: ["a", "b"], length: 1 },
        ],
      }),
    { code: "bad-plan", message: /below a file/ },
  );
});

test("BEP 52: infohashes of v1, v2 and hybrid torrents equal the vectors", () => {
  const v1 = make({ ...SINGLE, kind: "v1" });
  assert.equal(toHex(v1.infohashes.v1!), expected("v1 a.bin").v1);
  assert.equal(v1.infohashes.v2, undefined);
  const v2 = make({ ...SINGLE, kind: "v2" });
  assert.equal(toHex(v2.infohashes.v2!), expected("v2 only").v2);
  assert.equal(v2.infoBytes.length, 145);
  for (const [what, input] of [
    ["hybrid a.bin", SINGLE],
    ["hybrid dir two", TWO],
  ] as const) {
    const hybrid = make({ ...input, kind: "hybrid" });
    assert.equal(toHex(hybrid.infohashes.v1!), expected(what).v1, what);
    assert.equal(toHex(hybrid.infohashes.v2!), expected(what).v2, what);
  }
});

test("bep52: piece hashes of v1, roots and layers of v2", () => {
  for (const [what, input] of [
    ["a.bin 40000 pl 32768", SINGLE],
    ["two, tail padding", TWO],
  ] as const) {
    const { info } = parseMetainfo(make({ ...input, kind: "hybrid" }).torrent);
    assert.equal(toHex(info.pieceHashes!), bep52.v1_pieces[what]!.join(""));
  }
  for (const [length, pieceLength, root, layer] of bep52.roots) {
    const { torrent } = make({ name: "x", files: [{ path: [], length }], kind: "v2", pieceLength });
    const { info, pieceLayers } = parseMetainfo(torrent);
    assert.equal(toHex(info.files[0]!.piecesRoot!), root);
    assert.equal(toHex(pieceLayers.get(root) ?? new Uint8Array(0)), layer.join(""));
    const table = pieceHashesV2(info, pieceLayers)!;
    assert.equal(toHex(new Uint8Array(table)), layer.length > 0 ? layer.join("") : root);
  }
});

// libtorrent 2.0.0 to 2.0.7 wrote hybrids this way. We pad the last file too, and read both forms.
test("BEP 52: a hybrid without padding at its tail is read, and its infohashes equal the vectors", () => {
  const padded = make({ ...TWO, kind: "hybrid" });
  const info = decode(padded.infoBytes);
  assert.ok(isDict(info));
  const files = info.get("files");
  assert.ok(files !== undefined && isList(files) && files.length === 4);
  const pieces = bep52.v1_pieces["two, no tail padding"]!.join("");
  const infoBytes = encode(
    new Map<string, BencodeValue>([
      ...info,
      ["files", files.slice(0, 3)],
      ["pieces", fromHex(pieces)!],
    ]),
  );
  const outer = decode(padded.torrent);
  assert.ok(isDict(outer));
  const torrent = encode(new Map([...outer, ["info", decode(infoBytes)]]));
  const { info: parsed, pieceLayers, warnings } = parseMetainfo(torrent);
  const { v1, v2 } = expected("same without tail padding");
  assert.equal(toHex(parsed.infohashes.v1!), v1);
  assert.equal(toHex(parsed.infohashes.v2!), v2);
  assert.deepEqual(warnings, []);
  assert.equal(toHex(parsed.pieceHashes!), pieces);
  const { geometry } = parsed;
  assert.equal(geometry.pieceSize(geometry.pieceCount - 1), 1000, "the last piece is cut");
  const layers = pieceHashesV2(parsed, pieceLayers)!;
  const whole = parseMetainfo(padded.torrent);
  assert.deepEqual(layers, pieceHashesV2(whole.info, whole.pieceLayers));
});

// Both programs were run on this folder; `exec.sh` was not executable for mktorrent, which ignores that.
test("the info dictionaries of mktorrent 1.1 and libtorrent 2.0.8 for a folder", () => {
  const plain = TREE.files.map(({ path, length }) => ({ path, length }));
  const v1 = make({ name: "tree", files: plain, kind: "v1" });
  assert.equal(toHex(v1.infohashes.v1!), "02facb79b0eb4a1b8cf06a2dc89d06742521f559");
  const v2 = make({ ...TREE, kind: "v2" });
  assert.equal(
    toHex(v2.infohashes.v2!),
    "e45a910da6f2ac606184eafc949f4719b21129dcad04ef5f8ca6b1d33001a359",
  );
  const hybrid = make({ ...TREE, kind: "hybrid" });
  assert.equal(toHex(hybrid.infohashes.v1!), "39cf0cc1a9383a5a2b1e5d8672232bdec26b0e62");
  assert.equal(
    toHex(hybrid.infohashes.v2!),
    "afe344c79a814ea4602692c317602cd0367b5c1b5177fe6b324d4f97600e65d6",
  );
});

test("libtorrent 2.0.8: a hybrid folder of one file has no padding, one of two has", () => {
  const layout = (files: readonly InputFile[]) =>
    planTorrent({ name: "t", files, kind: "hybrid", pieceLength: 16_384 }).files.map(
      (file) => `${file.path.join("/")}:${file.length}`,
    );
  const file = (name: string, length: number) => ({ path: [name], length });
  for (const [files, expectedLayout] of [
    [[file("f", 20)], ["f:20"]],
    [
      [file("a", 20), file("e", 0)],
      ["a:20", ".pad/16364:16364", "e:0"],
    ],
    [
      [file("e", 0), file("z", 20)],
      ["e:0", "z:20", ".pad/16364:16364"],
    ],
    [
      [file("a", 16_384), file("b", 16_384)],
      ["a:16384", "b:16384"],
    ],
    [
      [file("a", 20), file("b", 16_384), file("c", 0)],
      ["a:20", ".pad/16364:16364", "b:16384", "c:0"],
    ],
  ] as const) {
    assert.deepEqual(layout(files), expectedLayout);
  }
  const one = make({ name: "one", files: [file("f", 20)], kind: "hybrid" });
  assert.equal(toHex(one.infohashes.v1!), "9b7be5bcbbcb4602bb943b7a083e94740c54c80d");
});

test("order: v1 by the whole path, v2 and hybrid by the tree", () => {
  const order = (kind: TorrentKind) =>
    planTorrent({ ...TREE, kind, pieceLength: 32_768 })
      .files.filter((file) => !file.pad)
      .map((file) => file.path.join("/"));
  const first = ["B/two"];
  const last = ["b/one", "empty", "exec.sh", "z.txt"];
  const below = ["a/x.bin", "a/z/q.bin", "a/\u00e9a.txt"];
  assert.deepEqual(order("v1"), [...first, "a-b", "a.txt", ...below, ...last]);
  for (const kind of ["v2", "hybrid"] as const) {
    assert.deepEqual(order(kind), [...first, ...below, "a-b", "a.txt", ...last]);
  }
  const plan = planTorrent({ ...TREE, kind: "v1", pieceLength: 32_768 });
  for (const file of plan.files) assert.deepEqual(TREE.files[file.input!]!.path, file.path);
});

test("a created torrent parses back, and the same input gives the same bytes", () => {
  const options: BuildOptions = {
    trackers: [["http://a/announce", "udp://b:80"], ["wss://c/"]],
    webSeeds: ["http://w/", "https://x/"],
    private: true,
    comment: "c\u00f6mment",
    source: "tag",
    creationDate: 1_700_000_000,
  };
  for (const kind of KINDS) {
    for (const input of [SINGLE, TWO, TREE]) {
      const made = make({ ...input, kind }, options);
      const parsed = parseMetainfo(made.torrent);
      assert.deepEqual(parsed.trackers, options.trackers);
      assert.deepEqual(parsed.webSeeds, options.webSeeds);
      assert.equal(parsed.comment, options.comment);
      assert.equal(parsed.createdBy, "Everseed");
      assert.equal(parsed.creationDate, options.creationDate);
      assert.deepEqual(parsed.warnings, []);
      assert.equal(parsed.info.kind, kind);
      assert.equal(parsed.info.private, true);
      assert.equal(parsed.info.source, "tag");
      assert.equal(parsed.info.name, input.name);
      assert.ok(equalBytes(parsed.info.infoBytes, made.infoBytes));
      assert.deepEqual(parsed.info.infohashes, made.infohashes);
      const reversed = { ...input, files: input.files.toReversed() };
      assert.ok(equalBytes(make({ ...reversed, kind }, options).torrent, made.torrent));
      const plan = planTorrent({ ...input, kind, pieceLength: 32_768 });
      assert.deepEqual(
        parsed.info.files.map(({ offset, length, pad }) => ({ offset, length, pad })),
        plan.files.map(({ offset, length, pad }) => ({ offset, length, pad })),
      );
      const { v2 } = measure(plan);
      if (kind !== "v1") {
        assert.deepEqual(new Uint8Array(pieceHashesV2(parsed.info, parsed.pieceLayers)!), v2);
      }
    }
  }
});

test("the outer dictionary holds the requested fields and nothing else", () => {
  const outer = (options: BuildOptions) =>
    toLatin1(
      make({ name: "x", files: [{ path: [], length: 1 }], kind: "v1" }, options).torrent,
    ).replace(/4:infod.*?e(?=$|8:url|e$)/s, "");
  assert.equal(outer({}), "d10:created by8:Everseede");
  assert.equal(
    outer({ trackers: [["http://a/"]], webSeeds: ["http://w/"] }),
    "d8:announce9:http://a/10:created by8:Everseed8:url-list9:http://w/e",
  );
  assert.equal(
    outer({ trackers: [["http://a/"], [], ["http://b/"]] }),
    "d8:announce9:http://a/13:announce-listll9:http://a/el9:http://b/ee10:created by8:Everseede",
  );
});

test("a torrent of empty files only", () => {
  for (const kind of KINDS) {
    const made = make({ name: "e", files: [{ path: ["a"], length: 0 }], kind });
    assert.equal(parseMetainfo(made.torrent).info.geometry.pieceCount, 0);
  }
});

// Each bound was found by asking libtorrent 2.0.8 for the piece length of one file of so many bytes.
test("autoPieceLength chooses as libtorrent 2.0.8 does", () => {
  const bounds = [
    2_684_355, 10_737_418, 42_949_673, 171_798_692, 687_194_767, 2_748_779_069, 10_995_116_278,
    43_980_465_111, 175_921_860_444, 703_687_441_777,
  ];
  for (const [index, bound] of bounds.entries()) {
    assert.equal(autoPieceLength(bound), 16_384 * 2 ** index);
    assert.equal(autoPieceLength(bound + 1), 32_768 * 2 ** index);
  }
  assert.equal(autoPieceLength(0), 16_384);
  assert.equal(autoPieceLength(Number.MAX_SAFE_INTEGER), 16 * 1024 * 1024);
});
