import type { Problem, ProblemCode } from "../api/problem.ts";
import { AccountsError, type AccountsErrorCode } from "../accounts/accounts-error.ts";
import { TransfersError, type TransfersErrorCode } from "../transfers/transfers-error.ts";
import { PublishError, type PublishErrorCode } from "../publish/publish-error.ts";

export interface Refusal {
  readonly status: number;
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  readonly id?: string | undefined;
}

/** Thrown by routes: an answer other than success. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = "RefusedError";
    this.refusal = refusal;
  }
}

/** The hub is overloaded. The answer must be cheap, because a page would be more work. */
export class OverloadError extends RefusedError {}

/** The hub's table from codes of rooms to HTTP. */
const PUBLISH: Readonly<
  Record<PublishErrorCode, readonly [status: number, code: ProblemCode, hint?: string]>
> = {
  "not-found": [404, "not_found"],
  "bad-offset": [409, "bad_offset", "Ask for the offset again (HEAD) and go on from there."],
  "too-large": [
    413,
    "too_large",
    "Use `everseed publish` on the machine itself, or ask its owner.",
  ],
  "too-many-files": [
    413,
    "too_many_files",
    "Pack small files into archives, or publish several torrents.",
  ],
  "too-many-drafts": [409, "conflict"],
  "bad-declaration": [400, "bad_request"],
  "bad-version": [400, "bad_request"],
  "older-version": [
    409,
    "conflict",
    "Sign it again with a larger number; `everseed publish --mutable` takes the time of day.",
  ],
  "too-many-versions": [409, "conflict", "Ask the owner of the hub."],
  "disk-full": [507, "disk_full", "Free some space on the hub's disk; what was uploaded is kept."],
  "disk-error": [507, "disk_error", "Check the hub's disk; what was uploaded is kept."],
  damaged: [
    500,
    "disk_error",
    "A BitTorrent program may get it from other seeds. The owner of the hub can repair it by publishing it again.",
  ],
  closed: [503, "busy", "Try again in a moment; what was uploaded is kept."],
};

const ACCOUNTS: Readonly<
  Record<AccountsErrorCode, readonly [status: number, code: ProblemCode, hint?: string]>
> = {
  "wrong-password": [401, "wrong_password"],
  wait: [429, "too_many_requests"],
  busy: [503, "busy"],
  "wrong-setup-key": [
    403,
    "wrong_setup_key",
    "Ask for a new link on the machine: everseed hub setup-link.",
  ],
  "setup-done": [409, "setup_done", "Sign in instead."],
  "bad-name": [400, "bad_name"],
  "weak-password": [400, "weak_password", "A few words in a row make a good password."],
  "too-many-tokens": [409, "conflict", "Revoke tokens that are not used any more."],
  "not-found": [404, "not_found"],
};

const TRANSFERS: Readonly<
  Record<TransfersErrorCode, readonly [status: number, code: ProblemCode, hint?: string]>
> = {
  "not-found": [404, "not_found", "everseed ls shows all of them."],
  ambiguous: [409, "conflict", "Give more characters of its id: everseed ls shows them."],
  exists: [409, "conflict"],
  "bad-source": [400, "bad_request", "Give a .torrent file, a magnet link, an infohash or a URL."],
  unreachable: [502, "busy", "Try again later, or give the .torrent file itself."],
  "bad-choice": [400, "bad_request"],
  "not-running": [
    409,
    "conflict",
    "everseed ls shows what it does; everseed start goes on with it.",
  ],
  "disk-full": [507, "disk_full", "Free some space there, then try again."],
  "disk-error": [507, "disk_error", "Check that folder and its disk, or choose another."],
  closed: [503, "busy", "Try again in a moment."],
};

/** @returns `undefined` for an error that is not a known refusal: the fault is then ours. */
export function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof RefusedError) return error.refusal;
  if (error instanceof PublishError) {
    const [status, code, hint] = PUBLISH[error.code];
    return { status, code, message: error.detail, hint };
  }
  if (error instanceof TransfersError) {
    const [status, code, hint] = TRANSFERS[error.code];
    return { status, code, message: error.detail, hint };
  }
  if (error instanceof AccountsError) {
    const [status, code, hint] = ACCOUNTS[error.code];
    const retryAfter = error.waitMs > 0 ? Math.ceil(error.waitMs / 1000) : undefined;
    return { status, code, message: error.message, hint, retryAfter };
  }
  return undefined;
}

/** The body of an answer of the API. */
export function problemBody(refusal: Refusal): Problem {
  const { code, message, hint, id, retryAfter } = refusal;
  return {
    error: {
      code,
      message,
      ...(hint !== undefined && { hint }),
      ...(id !== undefined && { id }),
      ...(retryAfter !== undefined && { retryAfter }),
    },
  };
}

export function problemResponse(refusal: Refusal): Response {
  const response = Response.json(problemBody(refusal), { status: refusal.status });
  response.headers.set("cache-control", "no-store");
  if (refusal.retryAfter !== undefined) {
    response.headers.set("retry-after", String(refusal.retryAfter));
  }
  return response;
}

export function notFound(what: string): RefusedError {
  return new RefusedError({ status: 404, code: "not_found", message: `There is no such ${what}.` });
}

/** The torrent is in the catalogue, but its .torrent file is gone or damaged; the log names it. */
export function torrentFileLost(): RefusedError {
  return new RefusedError({
    status: 500,
    code: "disk_error",
    message: "The .torrent file of this torrent cannot be read on the hub's disk.",
    hint: "The hub's log has its name; the owner can restore it from a backup.",
  });
}

/** The torrent has this file, but on this hub's disk it is gone or has another length. */
export function fileLost(): RefusedError {
  return new RefusedError({
    status: 500,
    code: "disk_error",
    message: "This file is damaged on the disk of this hub, so it cannot be downloaded here.",
    hint: "A BitTorrent program may still get it from others. Publishing the same files again repairs it.",
  });
}

export function notAllowed(signedIn: boolean): RefusedError {
  return new RefusedError(
    signedIn
      ? {
          status: 403,
          code: "not_allowed",
          message: "You may not do this.",
          hint: "An administrator of this hub may.",
        }
      : {
          status: 401,
          code: "not_signed_in",
          message: "You are not signed in.",
          hint: "Sign in, or send an API token in the Authorization header.",
        },
  );
}
