import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromLatin1, toHex, toLatin1 } from "../base/bytes.ts";
import { sha1 } from "../base/hash.ts";
import { dictOf, encode, type Encodable } from "../bencode/encode.ts";
import { parseInfo, parseMetainfo } from "./parse-metainfo.ts";

// Documents as other programs write them (house rule 13): read like libtorrent reads them, with a warning.

const INFO = "d6:lengthi5e4:name1:n12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae";
const HASH = toHex(sha1(fromLatin1(INFO)));

/** A .torrent around `INFO`: bencoded keys and values before it and behind it. */
function outer(before: string, after = "", info = INFO): Uint8Array {
  return fromLatin1(`d${before}4:info${info}${after}e`);
}

/** `INFO` with more keys in it. */
function inner(keys: string): Uint8Array {
  return outer("", "", `${INFO.slice(0, -1)}${keys}e`);
}

function infohash(torrent: Uint8Array): string {
  return toHex(parseMetainfo(torrent).info.infohashes.v1!);
}

function folder(files: readonly (Record<string, Encodable> | string)[], bytes = 5): Uint8Array {
  const list = files.map((file) =>
    typeof file === "string" ? file : toLatin1(encode(dictOf(file))),
  );
  const pieces = Math.ceil(bytes / 16_384) * 20;
  return fromLatin1(
    `d4:infod5:filesl${list.join("")}e4:name1:n12:piece lengthi16384e6:pieces${pieces}:${"a".repeat(pieces)}ee`,
  );
}

test("BEN-9: white space and zeros after a torrent are ignored, other bytes give a warning", () => {
  const torrent = outer("");
  for (const tail of ["\n", "\r\n", " \t\n", "\0\0\0"]) {
    const bytes = concatBytes([torrent, fromLatin1(tail)]);
    assert.equal(infohash(bytes), HASH);
    assert.deepEqual(parseMetainfo(bytes).warnings, []);
  }
  const junk = parseMetainfo(concatBytes([torrent, new Uint8Array(1000).fill(0x58)]));
  assert.equal(toHex(junk.info.infohashes.v1!), HASH);
  assert.equal(junk.byteLength, torrent.length);
  assert.deepEqual(junk.warnings, ["1000 bytes behind the end of the torrent are not part of it"]);
  assert.deepEqual(
    parseMetainfo(concatBytes([torrent, torrent])).info.infoBytes.length,
    INFO.length,
  );
  // Bytes from peers are hashed to the last one.
  for (const tail of ["\n", "x"]) {
    assert.throws(() => parseInfo(fromLatin1(INFO + tail)), { code: "bad-bencode" });
  }
});

test("BEN-7: decisive keys must not contradict themselves", () => {
  for (const torrent of [
    outer(`4:infod4:name1:ae`),
    outer("8:announce9:http://a/8:announce9:http://b/"),
    outer("", "8:url-list9:http://a/8:url-list9:http://b/"),
    inner("4:name1:m"),
    inner("6:pieces20:bbbbbbbbbbbbbbbbbbbb"),
    inner("7:privatei0e7:privatei1e"),
    folder(["d6:lengthi5e6:lengthi6e4:pathl1:aee"]),
    folder(["d6:lengthi5e4:pathl1:ae4:pathl1:bee"]),
    folder(["d6:lengthi5e4:pathl1:ae4:pathl1:a1:bee"]),
    folder(["d6:lengthi5e4:pathl1:ae4:path1:ae"]),
  ]) {
    assert.throws(() => parseMetainfo(torrent), { code: "repeated-key" }, toLatin1(torrent));
  }
  assert.throws(() => parseInfo(fromLatin1(`${INFO.slice(0, -1)}4:name1:me`)), {
    code: "repeated-key",
  });
});

test("BEN-7: other repeated keys give a warning, and the first one counts", () => {
  for (const [torrent, warning] of [
    [outer("7:comment1:a7:comment1:b"), /"comment" stands there more than once/],
    [outer("8:announce9:http://a/8:announce9:http://a/"), /"announce"/],
    [outer("1:xi1e1:xi2e"), /"x"/],
    [outer("1:xd1:yi1e1:yi2ee"), /"y"/],
    [outer("", `4:info${INFO}`), /"info"/],
    [inner("4:name1:n"), /"info\.name"/],
    [inner("1:xi1e1:xi2e"), /"info\.x"/],
    [inner("6:source1:a6:source1:b"), /"info\.source"/],
    [folder(["d6:lengthi5e6:lengthi5e4:pathl1:aee"]), /"info\.files\[0\]\.length"/],
    [folder(["d6:lengthi5e4:pathl1:ae4:pathl1:aee"]), /"info\.files\[0\]\.path"/],
    [folder(["d6:lengthi5e4:pathl1:ae1:x0:1:x0:e"]), /"x"/],
  ] as const) {
    const { warnings } = parseMetainfo(torrent);
    assert.equal(warnings.length, 1, toLatin1(torrent));
    assert.match(warnings[0]!, warning);
  }
  assert.equal(parseMetainfo(outer("7:comment1:a7:comment1:b")).comment, "a");
});

test("BEN-4: needless zeros in numbers are accepted, and hashed unchanged", () => {
  const info = INFO.replace("i5e", "i0005e").replace("1:n", "01:n");
  const read = parseMetainfo(outer("", "", info));
  assert.equal(toHex(read.info.infohashes.v1!), toHex(sha1(fromLatin1(info))));
  assert.equal(read.info.geometry.dataLength, 5);
  assert.equal(read.info.name, "n");
  assert.deepEqual(read.warnings, ["2 numbers begin with needless zeros"]);
  for (const bad of ["i5", "i e", "i0x5e", "i5.0e", "i+5e", "i--5e", "ie", "i-e"]) {
    assert.throws(() => parseMetainfo(outer("", "", INFO.replace("i5e", bad))), bad);
  }
});

test("optional keys of the wrong type are left out with a warning", () => {
  for (const [torrent, warning] of [
    [outer("7:commenti5e"), /"comment" is no text/],
    [outer("10:created byle"), /"created by" is no text/],
    [outer("13:creation date3:now"), /creation date is in no calendar/],
    [outer("", "12:piece layersi5e"), undefined],
    [outer("", "8:url-listi5e"), /1 web seeds left out/],
    [outer("", "5:nodesi5e"), /1 DHT nodes left out/],
    [outer("13:announce-listi5e"), /1 tracker entries left out/],
    [inner("4:attri5e"), /"info\.attr" is no text/],
    [inner("10:name.utf-8le"), /"info\.name\.utf-8" is no text/],
    [inner("12:meta version1:2"), /"info\.meta version" is no number/],
    [inner("12:meta versioni0e"), /"info\.meta version" is 0/],
    [inner("6:sourcei1e"), /"info\.source" is no text/],
    [folder([{ length: 5, path: ["a"], attr: 5 }]), /"info\.files\[0\]\.attr" is no text/],
    [folder([{ length: 5, path: ["a"], "path.utf-8": "a" }]), /path\.utf-8" is no list of texts/],
    [folder([{ length: 5, path: ["a"], "path.utf-8": [5] }]), /path\.utf-8" is no list of texts/],
  ] as const) {
    const { info, warnings } = parseMetainfo(torrent);
    assert.equal(info.geometry.dataLength, 5);
    assert.equal(warnings.length, warning ? 1 : 0, toLatin1(torrent));
    if (warning) assert.match(warnings[0]!, warning);
  }
});

test("dates in milliseconds are understood", () => {
  const read = parseMetainfo(outer("13:creation datei1406613545141e"));
  assert.equal(read.creationDate, 1_406_613_545);
  assert.equal(read.warnings.length, 1);
  // The last second that counts as one; larger values are read as milliseconds.
  assert.equal(
    parseMetainfo(outer("13:creation datei253402300799e")).creationDate,
    253_402_300_799,
  );
  assert.equal(parseMetainfo(outer("13:creation datei9007199254740991e")).creationDate, undefined);
});

test("zeros at the end of texts, and spaces around and inside URLs", () => {
  const read = parseMetainfo(
    encode(
      dictOf({
        announce: "http://a.example/announce\0",
        comment: "words\0\0",
        "created by": "program\0",
        info: dictOf({
          files: [dictOf({ length: 5, path: ["d\0", "f.mp4\0\0"] })],
          name: "n\0",
          "piece length": 16_384,
          pieces: new Uint8Array(20),
          source: "tag\0",
        }),
        "url-list": [" http://b.example/a file\0"],
      }),
    ),
  );
  assert.deepEqual(read.trackers, [["http://a.example/announce"]]);
  assert.deepEqual(read.webSeeds, ["http://b.example/a%20file"]);
  assert.equal(read.comment, "words");
  assert.equal(read.createdBy, "program");
  assert.equal(read.info.source, "tag");
  assert.deepEqual(read.info.files[0]!.path, ["n", "d", "f.mp4"]);
  assert.deepEqual(read.warnings, []);
  // A name of zeros only counts as none.
  const nameless = parseMetainfo(outer("", "", INFO.replace("1:n", "2:\0\0"))).info;
  assert.equal(nameless.name, toHex(nameless.infohashes.v1!));
});

test("BitComet's padding files are padding", () => {
  const name = "_____padding_file_0_if you see this file, update";
  const torrent = folder(
    [
      { length: 5, path: ["a"] },
      { length: 16_379, path: [name] },
      { length: 7, path: ["b"] },
    ],
    16_391,
  );
  const { info } = parseMetainfo(torrent);
  assert.deepEqual(
    info.files.map(({ pad }) => pad),
    [false, true, false],
  );
  assert.equal(info.geometry.dataLength, 12);
  assert.equal(info.geometry.requestSize(0), 5);
});

test("links with a length have none, and links that lead nowhere are empty files", () => {
  const link = { attr: "l", path: ["b"] };
  const target = { length: 5, path: ["a"] };
  const long = parseMetainfo(folder([target, { ...link, length: 5, "symlink path": ["a"] }]));
  assert.deepEqual(long.info.files[1]!.linkTarget, ["n", "a"]);
  assert.equal(long.info.files[1]!.length, 0);
  assert.match(long.warnings.join(), /\[1\]\.length" of a link is 5, not 0,/);
  for (const path of [[], 5, [5]] as const) {
    const read = parseMetainfo(folder([target, { ...link, "symlink path": path }]));
    assert.equal(read.info.files[1]!.linkTarget, undefined);
    assert.match(read.warnings.join(), /\[1\]\.symlink path" leads nowhere/);
  }
});

test("a list of many odd files gives few warnings", () => {
  const files = Array.from({ length: 300 }, (_, i) => ({ attr: 5, length: 0, path: [`f${i}`] }));
  const { warnings } = parseMetainfo(folder([...files, { length: 5, path: ["a"] }]));
  assert.equal(warnings.length, 51);
  assert.equal(warnings.at(-1), "250 more oddities of these kinds");
});

test("BEN-7: repeated keys are bounded", () => {
  const many = "1:xi1e".repeat(1002);
  assert.throws(() => parseMetainfo(outer(many)), {
    code: "repeated-key",
    message: /more than 1000/,
  });
  assert.equal(parseMetainfo(outer("1:xi1e".repeat(1001))).warnings.length, 51);
});
