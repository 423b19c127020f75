import { EverseedError } from "../base/errors.ts";

export type PublishErrorCode =
  /** There is no such draft, or it belongs to somebody else. */
  | "not-found"
  /** The bytes do not continue at the draft's offset. */
  | "bad-offset"
  /** More than one upload may contain. */
  | "too-large"
  | "too-many-files"
  | "too-many-drafts"
  /** Names or options that no torrent can be made from. */
  | "bad-declaration"
  /** An item that proves nothing about its torrent, or that the DHT does not store. */
  | "bad-version"
  /** A newer version of the publication is known. */
  | "older-version"
  | "too-many-versions"
  | "disk-full"
  | "disk-error"
  /** The stored content differs from the published content, or is missing. */
  | "damaged"
  /** The hub is shutting down, or the upload was cancelled meanwhile. */
  | "closed";

/** An upload cannot be accepted, or cannot continue for now. */
export class PublishError extends EverseedError {
  readonly code: PublishErrorCode;
  /** The sentence for people, without the code. */
  readonly detail: string;

  constructor(code: PublishErrorCode, detail: string, options?: ErrorOptions) {
    super(`publish: ${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }
}

/** Describes a failure of the disk for people. */
export function diskError(failure: { code: string; message: string }): PublishError {
  return failure.code === "ENOSPC" || failure.code === "EDQUOT"
    ? new PublishError("disk-full", "The disk of this hub is full.")
    : new PublishError("disk-error", `The disk of this hub refused: ${failure.message}.`);
}
