import { LongList, LongRecord } from "../base/long-list.ts";
import { safeJson } from "./outside-text.ts";

/** Characters of one part. */
const PART_CHARACTERS = 65_536;

/** Items of a long list that are converted together. */
const ITEMS_TOGETHER = 256;

/**
 * The one line that `safeJson` makes of an object, in parts: long lists and records are never whole in memory.
 */
export function* longJson(value: object): Generator<string> {
  let part = "";
  for (const text of piecesOf(value)) {
    part += text;
    if (part.length < PART_CHARACTERS) continue;
    yield part;
    part = "";
  }
  yield part;
}

function* piecesOf(value: object): Generator<string> {
  if (value instanceof LongList) yield* listPieces(value);
  else if (value instanceof LongRecord) yield* recordPieces(value);
  else if (hasLong(value)) yield* recordPieces(Object.entries(value));
  else yield safeJson(value);
}

function hasLong(value: object): boolean {
  return Object.values(value).some(
    (field) => field instanceof LongList || field instanceof LongRecord,
  );
}

function* recordPieces(entries: Iterable<readonly [string, unknown]>): Generator<string> {
  let mark = "{";
  for (const [key, value] of entries) {
    // Like `JSON.stringify`: undefined values are left out.
    if (value === undefined) continue;
    yield `${mark}${safeJson(key)}:`;
    if (typeof value === "object" && value !== null) yield* piecesOf(value);
    else yield safeJson(value);
    mark = ",";
  }
  yield mark === "{" ? "{}" : "}";
}

function* listPieces(list: Iterable<unknown>): Generator<string> {
  let mark = "[";
  let together: unknown[] = [];
  const flush = (): string => {
    const text = safeJson(together).slice(1, -1);
    together = [];
    const piece = mark + text;
    mark = ",";
    return piece;
  };
  for (const item of list) {
    together.push(item);
    if (together.length === ITEMS_TOGETHER) yield flush();
  }
  if (together.length > 0) yield flush();
  yield mark === "[" ? "[]" : "]";
}
