import { HTTPException } from "hono/http-exception";
import { toHex } from "../base/bytes.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import { asRefusal, type Refusal } from "./problems.ts";

export interface FailureParts {
  readonly random: Random;
  readonly log: Log;
  /** True when an error of another layer means that the disk is full. */
  readonly isDiskFull: (error: unknown) => boolean;
}

/**
 * Turns what a route threw into an answer. Any error that is no known refusal is our fault, and gets an id and a line in
 * the log.
 */
export function refusalOf(
  error: unknown,
  path: string,
  { random, log, isDiskFull }: FailureParts,
): Refusal {
  const known = asRefusal(error);
  if (known) return known;
  if (error instanceof HTTPException && error.status < 500) {
    return {
      status: error.status,
      code: error.status === 415 ? "unsupported" : "bad_request",
      message: error.message || "This request is not valid.",
    };
  }
  const id = toHex(random.bytes(4));
  log.error("a request failed", { id, path: withoutSecrets(path), error: stackOf(error) });
  if (isDiskFull(error)) return { ...DISK_FULL, id };
  return {
    status: 500,
    code: "internal",
    message: "Something broke on our side; it is in the log.",
    hint: "Try again. If it happens again, give the owner of this hub the number of the error.",
    id,
  };
}

/** Sent for a body that is packed: unpacking it is work that a stranger chooses. */
export const COMPRESSED: Refusal = {
  status: 415,
  code: "unsupported",
  message: "Compressed request bodies are not accepted.",
};

const DISK_FULL: Refusal = {
  status: 507,
  code: "disk_full",
  message: "The disk of this hub is full.",
  hint: "Free some space there, then try again.",
};

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

/** The path of a tracker may hold a passkey: at most four characters of a possible one are shown (TRK-13). */
function withoutSecrets(path: string): string {
  if (!/\/(announce|scrape)(\/|$)/.test(path)) return path;
  return path.replace(/[^/]{9,}/g, (segment) => `${segment.slice(0, 4)}...`);
}
