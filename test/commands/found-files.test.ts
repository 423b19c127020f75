import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { encodeUtf8 } from "../../src/base/bytes.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { parseInfo } from "../../src/metainfo/parse-metainfo.ts";
import { findFiles, troubleWith } from "../../src/commands/found-files.ts";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";

/** A user who owns no file. */
const NOBODY = 65_534;

/** Files of three bytes with these names. */
function torrentOf(...names: readonly string[]) {
  const info = {
    files: names.map((name) => dictOf({ length: 3, path: [encodeUtf8(name)] })),
    name: encodeUtf8("t"),
    "piece length": 16_384,
    pieces: new Uint8Array(20),
  };
  return parseInfo(encode(dictOf(info)));
}

function folder(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "everseed-found-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755);
  mkdirSync(join(root, "t"));
  return root;
}

test("files are right, missing, unfinished or something else, even behind links", (context) => {
  const root = folder(context);
  const info = torrentOf("fits", "linked", "gone", "begun", "longer", "shorter", "folder");
  for (const name of ["fits", "elsewhere", "begun.part"])
    writeFileSync(join(root, "t", name), "123");
  writeFileSync(join(root, "t/longer"), "1234");
  writeFileSync(join(root, "t/shorter"), "12");
  mkdirSync(join(root, "t/folder"));
  symlinkSync("elsewhere", join(root, "t/linked"));
  symlinkSync("nowhere", join(root, "t/gone"));
  const found = findFiles(new NodeUserFiles(), info, { root, suffix: ".part" });
  assert.deepEqual(
    found.map(({ state, size }) => [state, size]),
    [
      ["fits", 3],
      ["fits", 3],
      ["missing", undefined],
      ["unfinished", 3],
      ["other", 4],
      ["other", 2],
      ["other", undefined],
    ],
  );
  assert.deepEqual(
    found.map((file) => troubleWith(file, { length: 3 })?.code),
    [undefined, undefined, "not-found", "not-found", "corrupt", "corrupt", "corrupt"],
  );
});

test("an unreadable file is reported before any is read", (context) => {
  const root = folder(context);
  for (const name of ["open", "closed"]) writeFileSync(join(root, "t", name), "123");
  chmodSync(join(root, "t/closed"), 0o200);
  // Root can read everything.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid!(NOBODY);
  try {
    assert.throws(
      () => findFiles(new NodeUserFiles(), torrentOf("open", "closed"), { root, suffix: ".part" }),
      {
        code: "not-readable",
        subject: join(root, "t/closed"),
      },
    );
  } finally {
    if (isRoot) process.seteuid!(0);
  }
});
