import type { z } from "zod";
import { type NodeStatus, nodeStatusSchema } from "../api/node.ts";
import { NODE_PATH } from "../api/paths.ts";
import { concatBytes, decodeUtf8 } from "../base/bytes.ts";
import { systemCode } from "../base/system-code.ts";
import type { HttpAnswer, HttpCalls, HttpRequest, HttpStream, HttpStreams } from "../ports/net.ts";
import { CommandError } from "./command-error.ts";
import { problemOf } from "./hub-client.ts";
import { type ServerEvent, serverEvents } from "./server-events.ts";

const TIMEOUT_MS = 30_000;
/** Of one answer: a list of 100,000 transfers. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const OK = 200;
const BUSY = 503;
const NO_CONTENT = 204;

/** The control API of the node on this machine, by its socket. */
export class ControlClient {
  readonly #calls: HttpCalls & HttpStreams;
  readonly #socket: string;
  readonly #signal: AbortSignal;

  /** @param node.socket - The path of its socket, for messages. `calls` leads there. */
  constructor(
    calls: HttpCalls & HttpStreams,
    node: { readonly socket: string; readonly signal: AbortSignal },
  ) {
    this.#calls = calls;
    this.#socket = node.socket;
    this.#signal = node.signal;
  }

  /**
   * Asks or tells the node something.
   *
   * @param change - Sent as JSON, bytes as those of a .torrent file; a GET without it.
   * @throws {CommandError} (rejects) `not-found` when no node is running; or its refusal.
   */
  async ask<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    change?: { readonly method: HttpRequest["method"]; readonly body?: unknown },
  ): Promise<z.output<Schema>> {
    const answer = await this.#send(path, change);
    const text = decodeUtf8(answer.body ?? new Uint8Array());
    if (answer.status < 200 || answer.status >= 300) throw this.#refused(answer.status, text);
    const found = schema.safeParse(answer.status === NO_CONTENT ? undefined : parseJson(text));
    if (found.success) return found.data;
    throw new CommandError("unreachable", `What answers on ${this.#socket} is no everseed.`, {
      subject: this.#socket,
      hint: "everseed daemon restart, when the node is of an older version.",
    });
  }

  /**
   * Follows server-sent events, until the node ends them.
   *
   * @throws {CommandError} (rejects) As `ask` does.
   */
  async *events(path: string): AsyncIterable<ServerEvent> {
    let stream: HttpStream;
    try {
      stream = await this.#calls.follow({ url: urlOf(path), signal: this.#signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      throw this.#unreachable(error);
    }
    if (stream.status !== OK) {
      const body = await Array.fromAsync(stream.chunks);
      throw this.#refused(stream.status, decodeUtf8(concatBytes(body)));
    }
    try {
      yield* serverEvents(stream.chunks, ANSWER_BYTES_MAX);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  /** @returns What the node says of itself; `undefined` when none is running, or it does not answer yet. */
  async find(): Promise<NodeStatus | undefined> {
    try {
      return await this.ask(NODE_PATH, nodeStatusSchema);
    } catch (error) {
      const isAway = error instanceof CommandError && error.code === "not-found";
      if (isAway || (error instanceof CommandError && error.code === "starting")) return undefined;
      throw error;
    }
  }

  async #send(
    path: string,
    change: { readonly method: HttpRequest["method"]; readonly body?: unknown } | undefined,
  ): Promise<HttpAnswer> {
    const { body } = change ?? {};
    const isTorrent = body instanceof Uint8Array;
    const type = isTorrent ? "application/x-bittorrent" : "application/json";
    try {
      return await this.#calls.send({
        method: change?.method ?? "GET",
        url: urlOf(path),
        headers: body === undefined ? {} : { "content-type": type },
        body: isTorrent || body === undefined ? body : JSON.stringify(body),
        timeoutMs: TIMEOUT_MS,
        bytesMax: ANSWER_BYTES_MAX,
        signal: this.#signal,
      });
    } catch (error) {
      this.#signal.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  #refused(status: number, text: string): CommandError {
    const refusal = problemOf(text, this.#socket);
    if (refusal) return refusal;
    if (status === BUSY) {
      return new CommandError("starting", "The node is still starting.", {
        subject: this.#socket,
        hint: "the same again in a moment.",
      });
    }
    return new CommandError("unreachable", `What answers on ${this.#socket} is no everseed.`, {
      subject: this.#socket,
    });
  }

  #unreachable(error: unknown): CommandError {
    const more = { subject: this.#socket, cause: error };
    switch (systemCode(error)) {
      case "ENOENT":
      case "ECONNREFUSED":
      case "ENOTDIR":
        return new CommandError("not-found", "No node is running.", {
          ...more,
          hint: "everseed daemon start",
        });
      case "EACCES":
        return new CommandError(
          "not-allowed",
          `This user may not open ${this.#socket}: the node belongs to another one.`,
          { ...more, hint: "the same as its user, or as root." },
        );
      default:
        return new CommandError("unreachable", `The node does not answer on ${this.#socket}.`, {
          ...more,
          hint: "everseed daemon logs shows what it does.",
        });
    }
  }
}

function urlOf(path: string): string {
  return `http://localhost${path}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
