import { EverseedError } from "../base/errors.ts";

export type PublishErrorCode =
  /** No such draft, or not this person's. */
  | "not-found"
  /** The bytes do not continue where the draft stands. */
  | "bad-offset"
  /** More than one upload may hold. */
  | "too-large"
  | "too-many-files"
  | "too-many-drafts"
  /** Names or settings no torrent can be made from. */
  | "bad-declaration"
  | "disk-full"
  | "disk-error"
  /** What is stored is not what was published, or not there. */
  | "damaged"
  /** Shutting down, or given up meanwhile. */
  | "closed";

/** An upload cannot be taken, or cannot go on for now. */
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

/** Turns what the disk refused into words. */
export function diskError(failure: { code: string; message: string }): PublishError {
  return failure.code === "ENOSPC" || failure.code === "EDQUOT"
    ? new PublishError("disk-full", "The disk of this hub is full.")
    : new PublishError("disk-error", `The disk of this hub refused: ${failure.message}.`);
}
