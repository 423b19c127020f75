import assert from "node:assert/strict";
import { test } from "node:test";
import type { RichInline, RichText } from "../api/rich-text.ts";
import { parseRichText } from "./rich-text.ts";

/** The form in short: `p(...)`. */
function short(blocks: RichText): string {
  return blocks
    .map((block) => {
      switch (block.kind) {
        case "paragraph":
          return `p(${inlines(block.inlines)})`;
        case "heading":
          return `h${block.level}(${inlines(block.inlines)})`;
        case "code":
          return `code(${block.text})`;
        case "quote":
          return `quote(${short(block.blocks)})`;
        case "list":
          return `list${block.start ?? ""}(${block.items.map(short).join(" | ")})`;
        case "table":
          return `table(${[block.head, ...block.rows].map((row) => row.map(inlines).join(",")).join(" | ")})`;
        case "rule":
          return "rule";
      }
    })
    .join(" ");
}

function inlines(all: readonly RichInline[]): string {
  return all
    .map((inline) => {
      if (typeof inline === "string") return inline;
      if (inline.kind === "break") return "/";
      if (inline.kind === "code") return `\`${inline.text}\``;
      if (inline.kind === "link") return `[${inlines(inline.inlines)}](${inline.href})`;
      return `${inline.kind}(${inlines(inline.inlines)})`;
    })
    .join("");
}

const cases: readonly (readonly [text: string, form: string])[] = [
  ["", ""],
  [" \n\t\n", ""],
  ["One.\nTwo.\n\nThree.", "p(One./Two.) p(Three.)"],
  ["# A\n## B\n###### C", "h3(A) h3(B) h4(C)"],
  ["**bold** *soft* ~~gone~~ `x<y`", "p(strong(bold) emphasis(soft) deleted(gone) `x<y`)"],
  ["- a\n- b\n  - c", "list(p(a) | p(b) list(p(c)))"],
  ["3. a\n4. b", "list3(p(a) | p(b))"],
  ["> said\n> twice", "quote(p(said/twice))"],
  ["```js\nalert(1)\n```", "code(alert(1))"],
  ["|a|b|\n|-|-|\n|1|2|", "table(a,b | 1,2)"],
  ["---", "rule"],
  ["see https://hub.example/x now", "p(see [https://hub.example/x](https://hub.example/x) now)"],
  ["[m](magnet:?xt=urn:btih:00)", "p([m](magnet:?xt=urn:btih:00))"],
  ["<magnet:?xt=urn:btih:00>", "p([magnet:?xt=urn:btih:00](magnet:?xt=urn:btih:00))"],
  // Not Markdown but what people type: it stays what it is.
  ["5 < 6 & 7 > 2", "p(5 < 6 & 7 > 2)"],
  ["snake_case_name and 2*3*4", "p(snake_case_name and 2emphasis(3)4)"],
];
for (const [text, form] of cases) {
  test(`a description reads ${JSON.stringify(text)} as ${form || "nothing"}`, () => {
    assert.equal(short(parseRichText(text)), form);
  });
}

const hostile: readonly string[] = [
  "<script>alert(1)</script>",
  "a <img src=x onerror=alert(1)> b",
  "<svg/onload=alert(1)>",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](java\nscript:alert(1))",
  "[x](java&#10;script:alert(1))",
  "[x](javascript&colon;alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](\u0001javascript:alert(1))",
  "[x](data:text/html;base64,PHNjcmlwdD4=)",
  "[x](vbscript:msgbox(1))",
  "[x](file:///etc/passwd)",
  "[x](blob:https://hub.example/1)",
  "[x](//evil.example)",
  "[x](/logout)",
  "[x](mailto:a@b.c)",
  "[x][r]\n\n[r]: javascript:alert(1)",
  "<javascript:alert(1)>",
  "![x](javascript:alert(1))",
  "![x](data:image/svg+xml,<svg onload=alert(1)>)",
  '<a href="javascript:alert(1)">x</a>',
  "<iframe src=https://evil.example></iframe>",
  "<style>@import 'https://evil.example'</style>",
  "`<script>`",
  "&lt;script&gt;",
];
for (const text of hostile) {
  test(`HUB-5: a description with ${JSON.stringify(text)} has no link and no markup`, () => {
    assert.deepEqual(linksOf(parseRichText(text)), []);
  });
}

test("HUB-5: a picture elsewhere becomes a link, so that reading a page asks nobody else", () => {
  assert.equal(
    short(parseRichText("![a cat](https://evil.example/pixel.gif)")),
    "p([a cat](https://evil.example/pixel.gif))",
  );
});

const heavy: Readonly<Record<string, string>> = {
  "quotes in quotes": ">".repeat(9_999),
  "quotes with spaces": `${"> ".repeat(4_900)}x`,
  "lists in lists": `${"- ".repeat(4_900)}x`,
  "numbered lists in lists": `${"1. ".repeat(3_300)}x`,
  "lists in quotes": `${"> - ".repeat(2_400)}x`,
  "lists deeper with each line": Array.from(
    { length: 90 },
    (_, depth) => `${"  ".repeat(depth)}- a`,
  ).join("\n"),
  "stars that never end": "*a ".repeat(3_300),
  "stars and lines": "_*".repeat(4_999),
  "brackets that never end": "![[".repeat(3_300),
  "links in links": "[a](".repeat(2_499),
  "ticks of all lengths": Array.from({ length: 135 }, (_, count) => `${"`".repeat(count)}a`).join(
    "",
  ),
  spaces: `a${" ".repeat(9_990)}b`,
  "a table of one row": `${"|".repeat(9_000)}\n${"-|".repeat(400)}`,
};
for (const [what, text] of Object.entries(heavy)) {
  test(`HUB-8: ${what} are read to the end, and keep within the depth`, () => {
    assert.ok(depthOf(parseRichText(text)) <= 14);
  });
}

test("HUB-8: what is longer than a description may be is one paragraph as it was typed", () => {
  const text = "# long ".repeat(2_000);
  assert.deepEqual(parseRichText(text), [{ kind: "paragraph", inlines: [text] }]);
});

const tangled: Readonly<Record<string, string>> = {
  "marks that never end": "__a_".repeat(2_500),
  "some of them in a long paragraph": "__a_".repeat(200) + "a".repeat(9_000),
  "thousands of items": "- a\n".repeat(2_400),
  "thousands of lines": "a\n=\n".repeat(2_400),
  "an address that ends in brackets": `http://a${")".repeat(9_900)}`,
};
for (const [what, text] of Object.entries(tangled)) {
  test(`HUB-29: ${what} are one paragraph as it was typed`, () => {
    assert.deepEqual(parseRichText(text), [{ kind: "paragraph", inlines: [text] }]);
  });
}

test("HUB-29: a long description as people write them keeps its form", () => {
  const changes = Array.from(
    { length: 140 },
    (_, at) => `- **${at}**: \`fix\` of [it](http://a.example/${at})`,
  );
  const words = "Words of one paragraph, *some* of them with a weight. ".repeat(40);
  const blocks = parseRichText(`# Changes\n\n${words}\n\n${changes.join("\n")}`);
  assert.deepEqual(
    blocks.map(({ kind }) => kind),
    ["heading", "paragraph", "list"],
  );
});

function linksOf(blocks: RichText): string[] {
  return [...JSON.stringify(blocks).matchAll(/"href":"([^"]*)"/g)].map(([, href]) => href ?? "");
}

function depthOf(blocks: RichText): number {
  const inner = blocks.map((block) => {
    if (block.kind === "quote") return depthOf(block.blocks);
    return block.kind === "list" ? Math.max(0, ...block.items.map(depthOf)) : 0;
  });
  return 1 + Math.max(0, ...inner);
}
