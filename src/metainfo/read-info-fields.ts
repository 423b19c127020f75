import { decodeUtf8, fromLatin1, toLatin1 } from "../base/bytes.ts";
import {
  isBytes,
  isDict,
  isList,
  type BencodeDict,
  type BencodeValue,
} from "../bencode/bencode-value.ts";
import { MetainfoError } from "./metainfo-error.ts";

// Fields of a torrent that are required, or must have their type. Unlike in a peer's message, one wrong field makes
// the whole torrent useless, and the error names the key (MET-11).

/** A file as a torrent lists it, before its path is cleaned. */
export interface ListedFile {
  /** Elements spelled in latin1, at least one; empty for padding. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
  readonly pad: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  /** The target of a symbolic link: elements in latin1 below the torrent's folder. */
  readonly link: readonly string[] | undefined;
  /** 32 bytes. */
  readonly piecesRoot: Uint8Array | undefined;
  /**
   * The place of the last element of the path, and its length in bytes. The offset counts from the start of `files`
   * or `file tree`; -1 when it is not known.
   */
  readonly nameAt: number;
  readonly nameLength: number;
  /** True when it is in the folder of the file before (not counting padding) and has a plain name. */
  readonly beside: boolean;
}

/** The values of an ordinary file. */
export const ORDINARY = {
  pad: false,
  executable: false,
  hidden: false,
  link: undefined,
  piecesRoot: undefined,
  nameAt: -1,
  nameLength: 0,
  beside: false,
} as const;

/** The meaning of `attr` (BEP 47); unknown letters are ignored. */
export interface Attributes {
  readonly pad: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  readonly link: boolean;
}

/**
 * Keys whose values are read step by step, because they may be most of a large torrent. A caller that decodes an info
 * dictionary for `readInfo` must leave them raw.
 */
export const RAW_KEYS: ReadonlySet<string> = new Set(["files", "file tree", "piece layers"]);

const NO_ATTRIBUTES: Attributes = { pad: false, executable: false, hidden: false, link: false };

/** Elements of one path; more count as hostile. */
export const PATH_ELEMENTS_MAX = 100;

/** Names a value in an error message; a function when building the name for every file would be too expensive. */
export type Where = string | (() => string);

export function missing(where: Where): MetainfoError {
  return new MetainfoError("missing-key", `"${nameOf(where)}" is not there`);
}

export function typeError(where: Where, expected: string): MetainfoError {
  return new MetainfoError("bad-type", `"${nameOf(where)}" must be ${expected}`);
}

function nameOf(where: Where): string {
  return typeof where === "string" ? where : where();
}

export function requireDict(value: BencodeValue | undefined, where: Where): BencodeDict {
  if (value === undefined) throw missing(where);
  if (!isDict(value)) throw typeError(where, "a dictionary");
  return value;
}

export function requireBytes(value: BencodeValue | undefined, where: Where): Uint8Array {
  if (value === undefined) throw missing(where);
  if (!isBytes(value)) throw typeError(where, "a byte string");
  return value;
}

/** Requires an integer that fits a `number`. */
export function requireInteger(value: BencodeValue | undefined, where: Where): number {
  if (value === undefined) throw missing(where);
  if (typeof value === "bigint") {
    throw new MetainfoError("bad-value", `"${nameOf(where)}" is ${value}, beyond 2^53-1`);
  }
  if (typeof value !== "number") throw typeError(where, "an integer");
  return value;
}

/** The length of one file: 0 to 2^53-1 bytes (MET-9). */
export function requireLength(value: BencodeValue | undefined, where: Where): number {
  if (value === undefined) throw missing(where);
  if (typeof value !== "number" && typeof value !== "bigint") throw typeError(where, "an integer");
  if (typeof value === "bigint" || value < 0) {
    throw new MetainfoError(
      "bad-file-length",
      `"${nameOf(where)}" is ${value}, not 0 to 2^53-1 bytes`,
    );
  }
  return value;
}

/** @param value - The value of `attr`. Anything but a byte string is ignored. */
export function readAttributes(value: BencodeValue | undefined): Attributes {
  if (!isBytes(value)) return NO_ATTRIBUTES;
  const letters = toLatin1(value);
  return {
    pad: letters.includes("p"),
    executable: letters.includes("x"),
    hidden: letters.includes("h"),
    link: letters.includes("l"),
  };
}

/** The target of a link, in latin1; `undefined` when the value is not a path. */
export function readLinkPath(value: BencodeValue | undefined): string[] | undefined {
  if (!isList(value) || value.length === 0 || value.length > PATH_ELEMENTS_MAX) return undefined;
  return value.every((element) => isBytes(element)) ? value.map(toLatin1) : undefined;
}

/** Text for an error message or a field for people: latin1-spelled UTF-8, cut. */
export function readableText(raw: string, charactersMax = 200): string {
  return decodeUtf8(fromLatin1(raw.slice(0, charactersMax)));
}
