import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeUtf8, toLatin1 } from "../base/bytes.ts";
import { safeJoin } from "../base/safe-join.ts";
import { cleanComponent, COMPONENT_BYTES_MAX, SafeTree } from "./safe-path.ts";

/** A name as it comes off the wire: UTF-8 spelled in latin1. */
function raw(text: string): string {
  return toLatin1(encodeUtf8(text));
}

function clean(text: string): string {
  return cleanComponent(raw(text));
}

/** The paths of these files, added in this order. */
function place(...paths: string[][]): string[] {
  const tree = new SafeTree(["t"]);
  return paths.map((path) => tree.addFile(path.map(raw)).join("/"));
}

const CLEANED: readonly (readonly [string, string])[] = [
  // MET-1: no path leaves the folder.
  ["", "_"],
  [".", "_"],
  ["..", "._"],
  ["...", ".._"],
  ["/", "_"],
  ["/etc/passwd", "_etc_passwd"],
  ["../../x", ".._.._x"],
  ["..\\..\\x", ".._.._x"],
  ["a/b", "a_b"],
  ["a\\b", "a_b"],
  ["\\\\server\\share", "__server_share"],
  ["C:", "C_"],
  ["C:\\Windows", "C__Windows"],
  ["//?/C:/x", "____C__x"],
  ["a\0b", "a_b"],
  ["a.mp4\0\0", "a.mp4"],
  ["..\0", "._"],
  ["\0", "_"],
  [" ", "_"],
  [". .", ". _"],
  ["~", "~"],
  ["-rf", "-rf"],
  [".hidden", ".hidden"],
  ["a..b", "a..b"],
  // MET-3: names that other systems refuse.
  ["CON", "_CON"],
  ["con", "_con"],
  ["nul.txt", "_nul.txt"],
  ["NUL.tar.gz", "_NUL.tar.gz"],
  ["aux ", "_aux_"],
  ["aux .txt", "_aux .txt"],
  ["COM1", "_COM1"],
  ["lpt9.x", "_lpt9.x"],
  ["COM\u00b2", "_COM\u00b2"],
  ["conin$", "_conin$"],
  ["console", "console"],
  ["com10", "com10"],
  ["auxiliary.txt", "auxiliary.txt"],
  ["name.", "name_"],
  ["name ", "name_"],
  ["name. .", "name. _"],
  ["file.txt:stream", "file.txt_stream"],
  ["file::$DATA", "file__$DATA"],
  ["what?.mkv", "what_.mkv"],
  ['a*b"c<d>e|f', "a_b_c_d_e_f"],
  // MET-4: characters that are invisible, or misrepresent the name.
  ["a\nb", "a_b"],
  ["a\r\nb", "a__b"],
  ["\u001b[31mred", "_[31mred"],
  ["a\u009bb", "a_b"],
  ["a\u007f", "a_"],
  ["gpj.\u202eexe", "gpj._exe"],
  ["\u2066x\u2069", "_x_"],
  ["a\u200bb", "a_b"],
  ["a\u200db", "a_b"],
  ["a\ufeffb", "a_b"],
  ["a\u2028b", "a_b"],
  ["a\u00adb", "a_b"],
  // Letters of all scripts stay as they are.
  ["\u05e9\u05dc\u05d5\u05dd.txt", "\u05e9\u05dc\u05d5\u05dd.txt"],
  ["\u65e5\u672c\u8a9e", "\u65e5\u672c\u8a9e"],
  ["\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"],
  [
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
  ],
  ["\u{1f468}\u200d\u{1f469}.jpg", "\u{1f468}\u200d\u{1f469}.jpg"],
  ["e\u0301", "e\u0301"],
  ["caf\u00e9 (1).txt", "caf\u00e9 (1).txt"],
  ["[a] {b} 100% & more!.mkv", "[a] {b} 100% & more!.mkv"],
];

test("MET-1, MET-3, MET-4: every element becomes a name fit for every system", () => {
  for (const [text, expected] of CLEANED) assert.equal(clean(text), expected, JSON.stringify(text));
});

test("MET-4: invalid UTF-8 bytes become one underscore each", () => {
  assert.equal(cleanComponent("a\u00ff\u00feb"), "a__b");
  assert.equal(cleanComponent("\u00c0\u00ae\u00c0\u00ae"), "____");
});

test("a name of more than 255 bytes is cut after a whole character and keeps its extension", () => {
  for (const [text, end] of [
    ["x".repeat(300), "x"],
    [`${"x".repeat(300)}.txt`, "x.txt"],
    [`${"\u00e9".repeat(200)}.txt`, "\u00e9.txt"],
    [`${"\u{1f600}".repeat(100)}`, "\u{1f600}"],
    [`${"x".repeat(254)}. ${"y".repeat(50)}`, "_"],
    [`a.${"y".repeat(400)}`, "y"],
    ["x".repeat(1_000_000), "x"],
  ] as const) {
    const name = clean(text);
    const bytes = encodeUtf8(name).length;
    assert.ok(bytes <= COMPONENT_BYTES_MAX && bytes > COMPONENT_BYTES_MAX - 4, name);
    assert.ok(name.endsWith(end) && !name.includes("\ufffd"), name);
  }
});

test("MET-1: whatever comes in, the result is one safe name, and cleaning it again changes nothing", () => {
  const nasty = fc.constantFrom(..."./\\:\0 ~-$conCONul1\u00e9\u202e\u200d\ud83d\ude00");
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(nasty).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(text, (input) => {
      const name = clean(input);
      assert.equal(safeJoin("/r", [name]), `/r/${name}`);
      assert.ok(encodeUtf8(name).length <= COMPONENT_BYTES_MAX);
      assert.equal(clean(name), name);
    }),
    { numRuns: 3000 },
  );
});

const PLACED: readonly (readonly [string[][], string[]])[] = [
  [
    [["a"], ["a"], ["a"]],
    ["t/a", "t/a (2)", "t/a (3)"],
  ],
  [
    [
      ["x", "a.txt"],
      ["x", "a.txt"],
    ],
    ["t/x/a.txt", "t/x/a (2).txt"],
  ],
  [
    [["README"], ["readme"], ["ReadMe"]],
    ["t/README", "t/readme (2)", "t/ReadMe (3)"],
  ],
  // Composed and decomposed: one file on some systems.
  [
    [["\u00e9"], ["e\u0301"]],
    ["t/\u00e9", "t/e\u0301 (2)"],
  ],
  [
    [["stra\u00dfe"], ["STRASSE"]],
    ["t/stra\u00dfe", "t/STRASSE (2)"],
  ],
  // A file that is also a folder, in both orders.
  [
    [["a"], ["a", "b"], ["a", "c"]],
    ["t/a", "t/a (2)/b", "t/a (2)/c"],
  ],
  [
    [["a", "b"], ["a"]],
    ["t/a/b", "t/a (2)"],
  ],
  // Folders that are twins.
  [
    [
      ["Dir", "x"],
      ["dir", "x"],
      ["Dir", "y"],
      ["dir", "y"],
    ],
    ["t/Dir/x", "t/dir (2)/x", "t/Dir/y", "t/dir (2)/y"],
  ],
  // The name with the suffix is taken too.
  [
    [["a"], ["a (2)"], ["a"], ["a (2)"]],
    ["t/a", "t/a (2)", "t/a (3)", "t/a (2) (2)"],
  ],
  // Names that cleaning makes equal.
  [
    [["a:b"], ["a?b"], ["a_b"]],
    ["t/a_b", "t/a_b (2)", "t/a_b (3)"],
  ],
  [
    [
      ["..", "..", "etc", "passwd"],
      ["", "x"],
    ],
    ["t/._/._/etc/passwd", "t/_/x"],
  ],
];

test("MET-5: when some system takes two names for one, the second gets a suffix", () => {
  for (const [paths, expected] of PLACED) assert.deepEqual(place(...paths), expected);
});

test("MET-5: no two files of any list share a path, whatever the case, and it is always the same one", () => {
  const name = fc.constantFrom(
    "a",
    "A",
    "a (2)",
    "b",
    "a.txt",
    "A.TXT",
    "..",
    "con",
    "\u00e9",
    "e\u0301",
  );
  const path = fc.array(name, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(path, { maxLength: 30 }), (paths) => {
      const placed = place(...paths);
      const folded = placed.map((text) => text.normalize("NFC").toLowerCase());
      assert.equal(new Set(folded).size, placed.length);
      for (const file of folded) {
        assert.ok(!folded.some((other) => other.startsWith(`${file}/`)), "a file is a folder");
      }
      assert.deepEqual(place(...paths), placed);
    }),
  );
});

test("MET-6: renaming is linear, for equal names, for long ones and for taken suffixes", () => {
  const count = 20_000;
  const long = "x".repeat(260);
  const lists: string[][][] = [
    Array.from({ length: count }, () => ["same.txt"]),
    Array.from({ length: count }, (_, i) => [i % 2 ? "a" : `a (${i})`]),
    // Different names that are cut to the same stem, each of them twice.
    Array.from({ length: count }, (_, i) => [
      `${long.slice(0, 249)}${String(i >> 1).padStart(6, "0")}`,
    ]),
    Array.from({ length: count }, (_, i) => ["d".repeat(1 + (i % 7)), "f"]),
  ];
  // Quadratic renaming would take minutes; the runner's own limit would end the test.
  for (const list of lists) assert.equal(new Set(place(...list)).size, count);
});

test("MET-2: an added file is found again under its own name", () => {
  const tree = new SafeTree(["t"]);
  for (const path of [["d", "f"], ["d", "F"], ["e:"], ["x"], ["x", "y"]]) tree.addFile(path);
  for (const [path, expected] of [
    [["d", "f"], "t/d/f"],
    [["d", "F"], "t/d/F (2)"],
    [["d"], "t/d"],
    [["e:"], "t/e_"],
    [["x", "y"], "t/x (2)/y"],
    [["D"], undefined],
    [["d", "f", "g"], undefined],
    [[".."], undefined],
    [["d", "..", "x"], undefined],
  ] as const) {
    assert.equal(tree.find(path)?.join("/"), expected);
  }
});
