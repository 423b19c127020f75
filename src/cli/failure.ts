import { EverseedError } from "../base/errors.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { escapeOutside, safeJson } from "./outside-text.ts";

/** An error in the terms of the command line. */
export interface Failure {
  readonly exit: ExitCode;
  /** For programs: `not_a_torrent`. Codes are only ever added. */
  readonly code: string;
  /** What and why, in sentences. */
  readonly message: string;
  readonly hint: string | undefined;
  /** The file or URL it is about. */
  readonly path: string | undefined;
}

/** The one table from codes of the rooms to exit codes. */
const EXIT_OF_CODE: ReadonlyMap<string, ExitCode> = new Map([
  // cli and config
  ["wrong-use", EXIT.wrongUse],
  ["bad-yaml", EXIT.wrongUse],
  ["unknown-key", EXIT.wrongUse],
  ["bad-value", EXIT.wrongUse],
  // daemon
  ["not-a-torrent", EXIT.wrongData],
  ["bad-magnet", EXIT.wrongData],
  ["bad-plan", EXIT.wrongUse],
  ["not-found", EXIT.notFound],
  ["exists", EXIT.conflict],
  ["port-taken", EXIT.conflict],
  ["data-in-use", EXIT.conflict],
  ["not-readable", EXIT.notAllowed],
  ["not-writable", EXIT.disk],
  ["disk-full", EXIT.disk],
  ["disk-error", EXIT.disk],
  ["unreachable", EXIT.network],
  ["starting", EXIT.network],
  ["start-failed", EXIT.failed],
  ["hangs", EXIT.failed],
  ["not-allowed", EXIT.notAllowed],
  ["corrupt", EXIT.wrongData],
  ["changed", EXIT.failed],
]);

/** What rooms put on their errors for people, besides the code. */
interface Told {
  readonly detail?: unknown;
  readonly hint?: unknown;
  readonly subject?: unknown;
}

/** Describes an error and finds its exit code. An unexpected error is our own bug. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof EverseedError) {
    const { detail, hint, subject } = error as Told;
    return {
      exit: EXIT_OF_CODE.get(error.code) ?? EXIT.failed,
      code: error.code.replaceAll("-", "_"),
      message: typeof detail === "string" ? detail : error.message,
      hint: typeof hint === "string" ? hint : undefined,
      path: typeof subject === "string" ? subject : undefined,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    exit: EXIT.failed,
    code: "internal",
    message: `Something went wrong that should not have. ${message}.`,
    hint: "set EVERSEED_DEBUG=1 to see where, and report it.",
    path: undefined,
  };
}

/** The words on stderr: `everseed: WHAT. WHY.` and an indented `Try:` line; one object with `--json`. */
export function renderFailure(failure: Failure, json: boolean): string {
  if (json) {
    const { code, message, hint, path } = failure;
    return `${safeJson({ error: { code, message, hint, path } })}\n`;
  }
  const hint = failure.hint === undefined ? "" : `  Try: ${escapeOutside(failure.hint)}\n`;
  return `everseed: ${escapeOutside(failure.message)}\n${hint}`;
}
