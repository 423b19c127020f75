import type { RichBlock, RichInline, RichText } from "../../src/api/rich-text.ts";

/** @returns The words alone, in one line, for previews. */
export function plainWords(blocks: RichText): string {
  return blocks.map(wordsOfBlock).join(" ").replace(/\s+/g, " ").trim();
}

function wordsOfBlock(block: RichBlock): string {
  switch (block.kind) {
    case "paragraph":
    case "heading":
      return wordsOfInlines(block.inlines);
    case "code":
      return block.text;
    case "quote":
      return block.blocks.map(wordsOfBlock).join(" ");
    case "list":
      return block.items.flatMap((item) => item.map(wordsOfBlock)).join(" ");
    case "table":
      return [block.head, ...block.rows].flat().map(wordsOfInlines).join(" ");
    case "rule":
      return "";
  }
}

function wordsOfInlines(inlines: readonly RichInline[]): string {
  return inlines
    .map((inline) => {
      if (typeof inline === "string") return inline;
      if (inline.kind === "break") return " ";
      return inline.kind === "code" ? inline.text : wordsOfInlines(inline.inlines);
    })
    .join("");
}
