import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1 } from "../base/bytes.ts";
import { addressBytes } from "../base/endpoint.ts";
import { finish } from "../base/work.ts";
import { FilterError } from "./filter-error.ts";
import { type FilterFacts, FilterReader } from "./filter-reader.ts";
import { IpRangesBuilder } from "./ip-ranges.ts";

function read(
  text: string,
  partBytes = 1024,
): { facts: FilterFacts; blocks: (a: string) => boolean } {
  const builder = new IpRangesBuilder();
  const reader = new FilterReader(builder);
  const bytes = fromLatin1(text);
  for (let at = 0; at < bytes.length; at += partBytes) {
    reader.push(bytes.slice(at, at + partBytes));
  }
  const facts = reader.finish();
  const ranges = finish(builder.build());
  return { facts, blocks: (address) => ranges.has(addressBytes(address)!) };
}

const MIXED =
  "\u00ef\u00bb\u00bf# a list\r\n" +
  "org:1.2.3.4-1.2.3.9\r\n" +
  "nonsense\r\n" +
  "\r\n" +
  "5.6.7.0/24 ; words\r\n" +
  "1.1.1.1 - 1.1.1.2 , 200 , allowed\r\n" +
  "more nonsense\n" +
  "last:9.9.9.9-9.9.9.9";

for (const partBytes of [1, 7, 1024]) {
  test(`lines of all forms, bad ones counted, ${partBytes} bytes at a time`, () => {
    const { facts, blocks } = read(MIXED, partBytes);
    assert.deepEqual(facts, { ranges: 3, badLines: 2, firstBadLine: 3 });
    const blocked = ["1.2.3.4", "5.6.7.255", "9.9.9.9", "1.1.1.1", "1.2.3.10"].map(blocks);
    assert.deepEqual(blocked, [true, true, true, false, false]);
  });
}

test("an empty list, and one of comments, block nothing", () => {
  for (const text of ["", "\n\n", "# nothing yet"]) {
    assert.deepEqual(read(text).facts, { ranges: 0, badLines: 0, firstBadLine: undefined });
  }
});

test("house rule 2: a line without an end takes no memory and is one bad line", () => {
  const { facts } = read(`1.2.3.4\n${"x".repeat(100_000)}\n5.6.7.8\n`);
  assert.deepEqual(facts, { ranges: 2, badLines: 1, firstBadLine: 2 });
});

const NO_LISTS: readonly (readonly [what: string, text: string, words: RegExp])[] = [
  ["a page", "<html>\n<body>not found</body>\n</html>\n", /no line of it/],
  ["a binary P2B list", `\u00ff\u00ff\u00ff\u00ffP2B\u0002${"x".repeat(5000)}`, /binary P2B/],
  ["a zip archive", "PK\u0003\u0004rest", /zip archive/],
];
for (const [what, text, words] of NO_LISTS) {
  test(`${what} is no list, and is told what it is`, () => {
    for (const partBytes of [1, 1024]) {
      const attempt = (): unknown => read(text, partBytes);
      assert.throws(attempt, (error) => {
        assert.ok(error instanceof FilterError);
        assert.equal(error.code, "no-list");
        return words.test(error.message);
      });
    }
  });
}
