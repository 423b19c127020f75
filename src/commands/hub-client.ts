import type { z } from "zod";
import { type ProblemCode, problemSchema } from "../api/problem.ts";
import { decodeUtf8 } from "../base/bytes.ts";
import { systemCode } from "../base/system-code.ts";
import type { HttpAnswer, HttpCalls, HttpRequest } from "../ports/net.ts";
import { CommandError, type CommandErrorCode } from "./command-error.ts";

const TIMEOUT_MS = 60_000;
/** The limit for one answer: the order of 200,000 files, and new names for all of them. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const TORRENT_TYPE = "application/x-bittorrent";

/** The API of one hub, with a token. */
export class HubClient {
  readonly #calls: HttpCalls;
  readonly #base: string;
  readonly #token: string;
  readonly #signal: AbortSignal;

  /** @param hub.base - The hub's address: `https://hub.example`, perhaps with a path. */
  constructor(
    calls: HttpCalls,
    hub: { readonly base: string; readonly token: string; readonly signal: AbortSignal },
  ) {
    this.#calls = calls;
    this.#base = hub.base.replace(/\/+$/, "");
    this.#token = hub.token;
    this.#signal = hub.signal;
  }

  /** Headers of every request. */
  get headers(): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${this.#token}` };
  }

  /**
   * @param path - One of ours, or one from the hub; a whole URL works as well.
   * @throws {CommandError} `unreachable` when it leads to another server: the token is for this hub
   * only.
   */
  url(path: string): string {
    const url = URL.parse(URL.canParse(path) ? path : `${this.#base}/${path.replace(/^\//, "")}`);
    const { origin } = new URL(this.#base);
    if (url?.origin === origin && url.username === "" && url.password === "") return url.href;
    throw notAHub(this.#base, "It redirects to another server, and the token is for this hub only");
  }

  /**
   * Requests one resource.
   *
   * @param body - Sent by POST, as JSON, or as a .torrent file for bytes; without it the method is
   * GET.
   * @throws {CommandError} `unreachable`, or the hub's refusal.
   */
  async ask<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    body?: unknown,
  ): Promise<z.output<Schema>> {
    const method = body === undefined ? "GET" : "POST";
    return this.#read(await this.#send(method, path, body), schema);
  }

  /**
   * Requests a change that needs no body.
   *
   * @throws {CommandError} `unreachable`, or the hub's refusal.
   */
  async change<Schema extends z.ZodType>(
    method: "POST" | "DELETE",
    path: string,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    return this.#read(await this.#send(method, path, undefined), schema);
  }

  #read<Schema extends z.ZodType>(answer: HttpAnswer, schema: Schema): z.output<Schema> {
    const { status, location, body } = answer;
    if (status >= 300 && status < 400 && location !== undefined) {
      throw movedHub(this.#base, location);
    }
    if (!body) throw notAHub(this.#base, "Its answer is longer than a hub sends");
    const text = decodeUtf8(body);
    if (status < 200 || status >= 300) throw refusedByHub(status, text, this.#base);
    const found = schema.safeParse(parseJson(text));
    if (found.success) return found.data;
    throw notAHub(this.#base, "Its answer is not that of a hub");
  }

  async #send(method: HttpRequest["method"], path: string, body: unknown): Promise<HttpAnswer> {
    const signal = this.#signal;
    const isFile = body instanceof Uint8Array;
    const type = isFile ? TORRENT_TYPE : "application/json";
    const request: HttpRequest = {
      method,
      signal,
      url: this.url(path),
      headers: body === undefined ? this.headers : { ...this.headers, "content-type": type },
      timeoutMs: TIMEOUT_MS,
      bytesMax: ANSWER_BYTES_MAX,
      body: isFile || body === undefined ? body : JSON.stringify(body),
    };
    try {
      return await this.#calls.send(request);
    } catch (error) {
      if (signal.aborted) throw error;
      throw hubUnreachable(this.#base, error);
    }
  }
}

/** For a hub that does not answer, or whose connection broke off. */
export function hubUnreachable(base: string, error: unknown): CommandError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const why = REASONS.get(systemCode(cause) ?? "") ?? "The connection broke off or took too long";
  return new CommandError("unreachable", `The hub at ${base} does not answer. ${why}.`, {
    subject: base,
    hint: "check that it runs (everseed hub start), then run the same command again: it continues where it stopped.",
    cause: error,
  });
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "No program listens there"],
  ["ENOTFOUND", "No machine has that name"],
  ["EAI_AGAIN", "No machine has that name"],
  ["EHOSTUNREACH", "That machine is unreachable"],
  ["ENETUNREACH", "That network is unreachable"],
  ["CERT_HAS_EXPIRED", "Its certificate has expired"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "No known authority has signed its certificate"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "No known authority has signed its certificate"],
]);

/**
 * Converts a refusal of the hub into our own terms.
 *
 * @param text - The body: a `Problem`, if the server is a hub.
 */
export function refusedByHub(status: number, text: string, base: string): CommandError {
  const problem = parseProblem(text);
  if (!problem) return notAHub(base, `The server says ${status}`);
  if (problem.code === "not_signed_in") {
    return new CommandError("not-allowed", `The hub at ${base} does not accept this token.`, {
      subject: base,
      hint: "make a new one on its account page, and write it into the token file.",
    });
  }
  return inOurTerms(problem, base);
}

/**
 * Reads a hub's explanation of a refusal that applies to everybody.
 *
 * @param text - The body of the answer.
 * @returns `undefined` when it is not a `Problem`.
 */
export function problemOf(text: string, subject: string): CommandError | undefined {
  const problem = parseProblem(text);
  return problem && inOurTerms(problem, subject);
}

type HubProblem = z.output<typeof problemSchema>["error"];

function parseProblem(text: string): HubProblem | undefined {
  const problem = problemSchema.safeParse(parseJson(text));
  return problem.success ? problem.data.error : undefined;
}

function inOurTerms({ code, message, hint }: HubProblem, subject: string): CommandError {
  return new CommandError(CODE_OF_PROBLEM.get(code) ?? "unreachable", message, {
    subject,
    hint: lowerFirst(hint),
  });
}

const CODE_OF_PROBLEM: ReadonlyMap<ProblemCode, CommandErrorCode> = new Map([
  ["bad_request", "bad-plan"],
  ["bad_name", "bad-plan"],
  ["unsupported", "bad-plan"],
  ["too_large", "bad-plan"],
  ["too_many_files", "bad-plan"],
  ["not_signed_in", "not-allowed"],
  ["wrong_password", "not-allowed"],
  ["not_allowed", "not-allowed"],
  ["cross_site", "not-allowed"],
  ["wrong_host", "not-allowed"],
  ["setup_needed", "not-allowed"],
  ["not_found", "not-found"],
  ["removed", "not-found"],
  ["conflict", "exists"],
  ["disk_full", "disk-full"],
  ["disk_error", "disk-error"],
]);

function movedHub(base: string, location: string): CommandError {
  const target = URL.parse(location, base);
  const where = target ? target.origin : "another place";
  return new CommandError("unreachable", `The server at ${base} redirects to ${where}.`, {
    subject: base,
    hint: `if that is your hub, run the same command with --to ${where}.`,
  });
}

function notAHub(base: string, why: string): CommandError {
  return new CommandError("unreachable", `There seems to be no everseed hub at ${base}. ${why}.`, {
    subject: base,
    hint: "the address that everseed hub start prints.",
  });
}

function lowerFirst(text: string | undefined): string | undefined {
  return text && `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
