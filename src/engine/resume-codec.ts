import { Bitfield } from "../base/bitfield.ts";
import { decode } from "../bencode/decode.ts";
import { encode } from "../bencode/encode.ts";
import { BencodeError } from "../bencode/bencode-error.ts";
import {
  getBytes,
  getInteger,
  getList,
  isDict,
  type BencodeValue,
} from "../bencode/bencode-value.ts";
import { sha1 } from "../base/hash.ts";
import { encodeUtf8, equalBytes } from "../base/bytes.ts";
import type { FileStamp } from "../ports/content.ts";
import type { ResumeState } from "./session-contract.ts";

const VERSION = 1;
const CHECKSUM_BYTES = 20;
/** Nanosecond stamps of some file systems do not fit a safe integer; we store microseconds. */
const MICROS_PER_MS = 1000;

/**
 * A resume state as bytes: a SHA-1 of the rest, then a bencoded dictionary. The checksum shows when a file was
 * truncated or changed (STO-3).
 */
export function encodeResume(resume: ResumeState): Uint8Array {
  const body = encode(
    new Map<string, BencodeValue>([
      ["clean", resume.clean ? 1 : 0],
      ["downloaded", resume.downloaded],
      ["have", resume.have.bytes],
      [
        "partial",
        resume.partial.map(({ piece, blocks }) => [piece, blocks.length, blocks.bytes] as const),
      ],
      ["pieces", resume.have.length],
      ["saved at", Math.floor(resume.savedAtMs)],
      [
        "stamps",
        resume.stamps.map(
          ({ size, mtimeMs, inode }) =>
            [size, integer(mtimeMs * MICROS_PER_MS), integer(inode)] as const,
        ),
      ],
      ["uploaded", resume.uploaded],
      ["version", encodeUtf8(String(VERSION))],
    ]),
  );
  const bytes = new Uint8Array(CHECKSUM_BYTES + body.length);
  bytes.set(sha1(body));
  bytes.set(body, CHECKSUM_BYTES);
  return bytes;
}

/** @returns `undefined` when the bytes are not a complete resume state of a known version. */
export function decodeResume(bytes: Uint8Array): ResumeState | undefined {
  const body = bytes.subarray(CHECKSUM_BYTES);
  if (bytes.length <= CHECKSUM_BYTES) return undefined;
  if (!equalBytes(sha1(body), bytes.subarray(0, CHECKSUM_BYTES))) return undefined;
  let value: BencodeValue;
  try {
    value = decode(body);
  } catch (error) {
    if (error instanceof BencodeError) return undefined;
    throw error;
  }
  if (!isDict(value) || getBytes(value, "version")?.[0] !== encodeUtf8(String(VERSION))[0]) {
    return undefined;
  }
  const have = Bitfield.from(
    getBytes(value, "have") ?? new Uint8Array(0),
    getInteger(value, "pieces") ?? -1,
  );
  const stamps = getList(value, "stamps")?.map(decodeStamp);
  const partial = getList(value, "partial")?.map(decodePartial);
  if (!have || !stamps?.every((stamp) => stamp !== undefined)) return undefined;
  if (!partial?.every((entry) => entry !== undefined)) return undefined;
  return {
    have,
    stamps,
    partial,
    clean: getInteger(value, "clean") === 1,
    savedAtMs: getInteger(value, "saved at") ?? 0,
    uploaded: getInteger(value, "uploaded") ?? 0,
    downloaded: getInteger(value, "downloaded") ?? 0,
  };
}

/** Times in the far future and inodes of large file systems exceed the exact range of a number. */
function integer(value: number): number | bigint {
  const whole = Math.floor(value);
  return Number.isSafeInteger(whole) ? whole : BigInt(whole);
}

function decodeStamp(value: BencodeValue): FileStamp | undefined {
  if (!Array.isArray(value)) return undefined;
  const [size, micros, inode] = value as readonly BencodeValue[];
  if (typeof size !== "number" || !isNumeric(micros) || !isNumeric(inode)) return undefined;
  return { size, mtimeMs: Number(micros) / MICROS_PER_MS, inode: Number(inode) };
}

function isNumeric(value: BencodeValue | undefined): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function decodePartial(value: BencodeValue): { piece: number; blocks: Bitfield } | undefined {
  if (!Array.isArray(value)) return undefined;
  const [piece, count, bits] = value as readonly BencodeValue[];
  if (typeof piece !== "number" || typeof count !== "number") return undefined;
  if (!(bits instanceof Uint8Array)) return undefined;
  const blocks = Bitfield.from(bits, count);
  return blocks ? { piece, blocks } : undefined;
}
