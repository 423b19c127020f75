import assert from "node:assert/strict";
import { test } from "node:test";
import type { RichText } from "../../src/api/rich-text.ts";
import { plainWords } from "./rich-words.ts";

test("the words of a description alone, for previews", () => {
  const blocks: RichText = [
    { kind: "heading", level: 3, inlines: ["Talks"] },
    {
      kind: "list",
      start: null,
      items: [
        [{ kind: "paragraph", inlines: [{ kind: "strong", inlines: ["one"] }] }],
        [
          {
            kind: "paragraph",
            inlines: [{ kind: "link", href: "https://x.example/", inlines: ["two"] }],
          },
        ],
      ],
    },
    { kind: "rule" },
    {
      kind: "quote",
      blocks: [{ kind: "paragraph", inlines: ["three", { kind: "break" }, "four"] }],
    },
    { kind: "code", text: "five\n six" },
    { kind: "table", head: [["a"], ["b"]], rows: [[["1"], [{ kind: "code", text: "2" }]]] },
  ];
  assert.equal(plainWords(blocks), "Talks one two three four five six a b 1 2");
});
