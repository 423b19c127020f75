import { parseContentRange } from "../../base/content-range.ts";
import { retryAfterMs } from "../../base/retry-after.ts";
import type { RangeHead } from "../../ports/web-ranges.ts";

/** A server without ranges sends a whole file each time: only files up to this length are fetched from it. */
export const WHOLE_FILE_BYTES_MAX = 4 * 1024 * 1024;

/** How long a server is left alone that does not say how long. */
const BUSY_MS = 30_000;

/** What a request was for. */
export interface WantedRange {
  /** `undefined`: the whole resource is what we want, as of a server of pieces (BEP 17). */
  readonly range: { readonly first: number; readonly last: number } | undefined;
  /** Bytes of the resource. */
  readonly size: number;
}

/** What the head of an answer means. */
export type RangeAnswer =
  /** The bytes follow, after `skip` others. @property length - Bytes of use; there may be fewer than we asked for. */
  | {
      readonly kind: "bytes";
      readonly skip: number;
      readonly length: number;
      /** The server ignores ranges. */
      readonly isWhole: boolean;
    }
  /** The server does not have this file, or has another one. */
  | { readonly kind: "absent"; readonly reason: string }
  /** It will not say anything else in the near future. @property body - It may say in its body how long (BEP 17). */
  | { readonly kind: "busy"; readonly afterMs: number; readonly reason: string }
  /** The answer makes no sense. */
  | { readonly kind: "nonsense"; readonly reason: string };

/** Judges the head of an answer to a request for a part of a file. @param wallMs - For dates. */
export function judgeRangeAnswer(
  head: RangeHead,
  wanted: WantedRange,
  wallMs: number,
): RangeAnswer {
  const { status } = head;
  if (isBusy(status)) {
    const afterMs = retryAfterMs(head.retryAfter, wallMs) ?? BUSY_MS;
    return { kind: "busy", afterMs, reason: `says ${status}, come again later` };
  }
  if (status !== 200 && status !== 206) return absent(`says ${status}`);
  const encoding = head.contentEncoding?.trim().toLowerCase() ?? "";
  // Ranges of a compressed file are no ranges of the file.
  if (encoding !== "" && encoding !== "identity") return absent("sends it compressed");
  return status === 206 ? judgePart(head, wanted) : judgeWhole(head, wanted);
}

function judgePart(head: RangeHead, { range, size }: WantedRange): RangeAnswer {
  if (!range) return nonsense("sends a part that nobody asked for");
  const sent = parseContentRange(head.contentRange);
  if (!sent) return nonsense("does not say which part it sends");
  if (sent.total !== undefined && sent.total !== size) {
    return absent(`has ${sent.total} bytes under that name, not ${size}`);
  }
  if (sent.first !== range.first || sent.last > range.last) return nonsense("sends another part");
  const length = sent.last + 1 - sent.first;
  const declared = parseLength(head.contentLength);
  if (declared !== undefined && declared !== length) {
    return nonsense("sends a part of another length than it says");
  }
  return { kind: "bytes", skip: 0, length, isWhole: false };
}

function judgeWhole(head: RangeHead, { range, size }: WantedRange): RangeAnswer {
  const declared = parseLength(head.contentLength);
  if (declared !== undefined && declared !== size) {
    return absent(`has ${declared} bytes under that name, not ${size}`);
  }
  if (!range) return { kind: "bytes", skip: 0, length: size, isWhole: false };
  const { first, last } = range;
  // A range that is the whole file may be answered with the whole file.
  const isWhole = first > 0 || last + 1 < size;
  if (isWhole && size > WHOLE_FILE_BYTES_MAX) return absent("sends whole files only");
  return { kind: "bytes", skip: first, length: last + 1 - first, isWhole };
}

/** A server of pieces says in its body how many seconds to wait (BEP 17). */
export function busyBodyMs(text: string): number | undefined {
  const words = text.trim();
  return /^[0-9]{1,9}$/.test(words) ? retryAfterMs(words, 0) : undefined;
}

function isBusy(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status <= 599);
}

function parseLength(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text.trim()) ? Number(text) : undefined;
}

function absent(reason: string): RangeAnswer {
  return { kind: "absent", reason };
}

function nonsense(reason: string): RangeAnswer {
  return { kind: "nonsense", reason };
}
