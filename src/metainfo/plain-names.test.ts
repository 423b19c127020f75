import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromLatin1 } from "../base/bytes.ts";
import { isPlainName } from "./plain-names.ts";
import { cleanComponent } from "./safe-path.ts";

function isPlain(name: string): boolean {
  // The bytes around it do not matter.
  return isPlainName(fromLatin1(`/${name}/`), 1, name.length);
}

test("MET-1 to MET-4: a plain name is one that cleaning does not change", () => {
  const letter = fc.oneof(
    fc.constantFrom(
      ..."aZ09_ .-()~$%",
      "/",
      "\\",
      ":",
      "\0",
      "\u00e4",
      "con",
      "nul.",
      "LPT1",
      "..",
      "___",
    ),
    fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
  );
  const names = fc
    .array(letter, { minLength: 1, maxLength: 12 })
    .map((letters) => letters.join(""));
  fc.assert(
    fc.property(names, (name) => {
      if (isPlain(name)) assert.equal(cleanComponent(name), name);
    }),
    { numRuns: 20_000 },
  );
});

test("ordinary names are plain, and devices, padding and invalid names are not", () => {
  for (const name of [
    "a",
    "picture number 000001.jpeg",
    "_a",
    "Read Me (2).TXT",
    "x".repeat(255),
  ]) {
    assert.ok(isPlain(name), name);
  }
  const others = ["", ".", "..", ".a", "a.", "a ", " a", "a/b", "a\0", "x".repeat(256), "\u00fc"];
  for (const name of [
    ...others,
    "con",
    "Con.txt",
    "nul",
    "COM1",
    "lpt1.x",
    "_____padding_file_0_",
  ]) {
    assert.ok(!isPlain(name), name);
  }
});
