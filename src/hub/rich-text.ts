import { Lexer, type MarkedToken, type Token } from "marked";
import type { RichBlock, RichInline, RichText } from "../api/rich-text.ts";

/** Longer texts are shown as typed. */
const CHARACTERS_MAX = 10_000;
/** Nested lists and quotes; deeper ones are shown as typed. The parser recurses for each level. */
const DEPTH_MAX = 12;
const TOO_DEEP = new RegExp(
  String.raw`^(?:[ \t]*(?:[>*+-]|\d{1,9}[.)])[ \t]?){${DEPTH_MAX + 1}}`,
  "m",
);
/** Nobody needs more; the parser's time grows with the square of it. */
const SPACES_MAX = 80;
const LONG_SPACES = new RegExp(`[ \\t]{${SPACES_MAX},}`, "g");
/** A list has one item a line, and the parser's time grows with the square of their number. */
const LINES_MAX = 500;
/**
 * For each mark that may open something, the parser may scan to the end of the paragraph: the limit is marks times
 * characters, over all paragraphs. One and a half million take some 10 ms.
 */
const LOOKS_MAX = 1_500_000;
const MARKS = /[*_~`<[|\\&@:]/g;
/** After an address, the parser steps back over all of this punctuation repeatedly. */
const LONG_PUNCTUATION = /[?!.,:;*_'"~()&]{100}/;
/** A paragraph certainly ends here. */
const PARAGRAPH_END = /\n[ \t]*(?=\n|[*+-][ \t])/;
const LINK_SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "magnet:"]);

/**
 * Parses Markdown (CommonMark with tables, struck-out words and bare addresses; a new line is a new line) into rich
 * text. HTML stays text, a picture becomes a link to it, and a link must lead to http, https or magnet (HUB-5).
 *
 * @param text - From anybody. Text that is too long, too deep or too complex becomes one paragraph, as typed.
 */
export function parseRichText(text: string): RichText {
  if (text.trim() === "") return [];
  if (text.length > CHARACTERS_MAX || TOO_DEEP.test(text) || isTangled(text)) return plain(text);
  const tokens = new Lexer({ gfm: true, breaks: true }).lex(
    text.replaceAll(LONG_SPACES, " ".repeat(SPACES_MAX)),
  );
  return toBlocks(tokens, DEPTH_MAX);
}

/** True when parsing would block the hub for longer than a description is worth (HUB-29). */
function isTangled(text: string): boolean {
  if (text.split("\n", LINES_MAX + 1).length > LINES_MAX) return true;
  if (LONG_PUNCTUATION.test(text)) return true;
  let looks = 0;
  for (const paragraph of text.split(PARAGRAPH_END)) {
    looks += (paragraph.match(MARKS)?.length ?? 0) * paragraph.length;
  }
  return looks > LOOKS_MAX;
}

function plain(text: string): RichText {
  return [{ kind: "paragraph", inlines: [text] }];
}

/** The lexer's tokens may be of any kind that an extension adds; without extensions only the known kinds occur. */
function toBlocks(tokens: readonly Token[], depthLeft: number): RichBlock[] {
  return tokens.flatMap((token) => toBlock(token as MarkedToken, depthLeft));
}

function toBlock(token: MarkedToken, depthLeft: number): RichBlock | [] {
  if (depthLeft === 0) return { kind: "paragraph", inlines: [token.raw] };
  switch (token.type) {
    case "space":
    case "def":
      return [];
    case "heading":
      return {
        kind: "heading",
        level: token.depth <= 2 ? 3 : 4,
        inlines: toInlines(token, depthLeft),
      };
    case "code":
      return { kind: "code", text: token.text };
    case "blockquote":
      return { kind: "quote", blocks: toBlocks(token.tokens, depthLeft - 1) };
    case "list":
      return {
        kind: "list",
        start: token.ordered ? Number(token.start) : null,
        items: token.items.map((item) => toBlocks(item.tokens, depthLeft - 1)),
      };
    case "table":
      return {
        kind: "table",
        head: token.header.map((cell) => toInlines(cell, depthLeft)),
        rows: token.rows.map((row) => row.map((cell) => toInlines(cell, depthLeft))),
      };
    case "hr":
      return { kind: "rule" };
    case "paragraph":
    case "text":
      return { kind: "paragraph", inlines: toInlines(token, depthLeft) };
    default:
      // HTML, and anything that a later parser may add: the text as typed.
      return { kind: "paragraph", inlines: [token.raw] };
  }
}

function toInlines(
  from: { readonly tokens?: readonly Token[] | undefined; readonly text: string },
  depthLeft: number,
): RichInline[] {
  if (!from.tokens) return [from.text];
  return from.tokens.flatMap((token) => toInline(token as MarkedToken, depthLeft - 1));
}

function toInline(token: MarkedToken, depthLeft: number): RichInline | RichInline[] {
  if (depthLeft <= 0) return token.raw;
  switch (token.type) {
    case "strong":
      return { kind: "strong", inlines: toInlines(token, depthLeft) };
    case "em":
      return { kind: "emphasis", inlines: toInlines(token, depthLeft) };
    case "del":
      return { kind: "deleted", inlines: toInlines(token, depthLeft) };
    case "codespan":
      return { kind: "code", text: token.text };
    case "br":
      return { kind: "break" };
    case "escape":
      return token.text;
    case "text":
      return token.tokens ? toInlines(token, depthLeft) : token.text;
    case "link":
      return toLink(token.href, toInlines(token, depthLeft), token.raw);
    case "image":
      return toLink(token.href, [token.text || token.href], token.raw);
    default:
      return token.raw;
  }
}

/** A link with an unsafe target is shown as typed. */
function toLink(address: string, inlines: RichInline[], raw: string): RichInline {
  const url = URL.parse(address);
  return url && LINK_SCHEMES.has(url.protocol) ? { kind: "link", href: url.href, inlines } : raw;
}
