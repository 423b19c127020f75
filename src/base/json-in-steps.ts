import type { Work } from "./work.ts";

/** Characters that are read before other work gets a turn; parsing them takes about a tenth of a millisecond. */
const CHARACTERS_PER_STEP = 65_536;
/** Items that are written before other work gets a turn. */
const ITEMS_PER_STEP = 256;

const QUOTE = 0x22;
const COMMA = 0x2c;
const LIST = 0x5b; // [
const BACKSLASH = 0x5c;
const LIST_END = 0x5d; // ]
const OBJECT = 0x7b; // {
const OBJECT_END = 0x7d; // }

/**
 * Parses JSON as `JSON.parse` does, in steps: the lists of the outermost object are parsed some items at a time, because
 * a list may have 200,000 of them. Everything else is parsed in one step.
 *
 * @throws {SyntaxError} When the text is not JSON.
 */
export function* parseJsonInSteps(text: string): Work<unknown> {
  if (text.length < CHARACTERS_PER_STEP || !/^\s*\{/.test(text)) return JSON.parse(text) as unknown;
  const lists: unknown[][] = [];
  // The text without its lists: each is replaced by a list of one number, its index.
  let frame = "";
  let frameFrom = 0;
  let list: unknown[] | undefined;
  let pieceFrom = 0;
  let depth = 0;
  let stepEnd = CHARACTERS_PER_STEP;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = stringEnd(text, at);
        break;
      case LIST:
        depth += 1;
        if (depth !== 2) break;
        list = [];
        pieceFrom = at + 1;
        frame += text.slice(frameFrom, at);
        break;
      case OBJECT:
        depth += 1;
        break;
      case OBJECT_END:
        depth -= 1;
        if (list && depth < 2) throw new SyntaxError("a list has no end");
        break;
      case COMMA:
        if (!list || depth !== 2 || at - pieceFrom < CHARACTERS_PER_STEP) break;
        addItems(list, text.slice(pieceFrom, at));
        pieceFrom = at + 1;
        break;
      case LIST_END:
        depth -= 1;
        if (!list || depth !== 1) break;
        // An empty list has no items; after a comma there is one.
        if (list.length === 0) list = JSON.parse(`[${text.slice(pieceFrom, at)}]`) as unknown[];
        else addItems(list, text.slice(pieceFrom, at));
        frame += `[${lists.length}]`;
        lists.push(list);
        list = undefined;
        frameFrom = at + 1;
        break;
    }
    if (at < stepEnd) continue;
    stepEnd = at + CHARACTERS_PER_STEP;
    yield;
  }
  if (list) throw new SyntaxError("a list has no end");
  const value = JSON.parse(frame + text.slice(frameFrom)) as Record<string, unknown>;
  for (const [key, place] of Object.entries(value)) {
    if (!Array.isArray(place)) continue;
    // Not an assignment, which would not make a property called `__proto__`.
    Object.defineProperty(value, key, { value: lists[place[0] as number] });
  }
  return value;
}

/** @returns The offset of the quote that ends a string, or the last offset of a text without it. */
function stringEnd(text: string, start: number): number {
  for (let from = start + 1; ;) {
    const end = text.indexOf('"', from);
    if (end < 0) return text.length - 1;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    from = end + 1;
  }
}

/** @param piece - One item at least, with commas between them. */
function addItems(list: unknown[], piece: string): void {
  const items = JSON.parse(`[${piece}]`) as unknown[];
  if (items.length === 0) throw new SyntaxError("a list has a comma without an item");
  for (const item of items) list.push(item);
}

/**
 * Writes JSON as `JSON.stringify` does, in steps: the lists of the object are written some items at a time.
 *
 * @param value - A plain object.
 */
export function* stringifyJsonInSteps(value: object): Work<string> {
  const parts: string[] = [];
  for (const [key, field] of Object.entries(value) as [string, unknown][]) {
    if (field === undefined) continue;
    parts.push(parts.length === 0 ? "{" : ",", JSON.stringify(key), ":");
    if (!Array.isArray(field)) {
      parts.push(JSON.stringify(field));
      continue;
    }
    for (let start = 0; start < field.length; start += ITEMS_PER_STEP) {
      const items = JSON.stringify(field.slice(start, start + ITEMS_PER_STEP));
      parts.push(start === 0 ? "[" : ",", items.slice(1, -1));
      yield;
    }
    parts.push(field.length === 0 ? "[]" : "]");
  }
  return parts.length === 0 ? "{}" : `${parts.join("")}}`;
}
