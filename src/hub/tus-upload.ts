import { DataStore, Server, Upload } from "@tus/server";
import type { ProblemCode } from "../api/problem.ts";
import { invariant } from "../base/errors.ts";
import type { Publisher } from "../publish/publisher.ts";
import { DraftLocks } from "./draft-locks.ts";
import { asRefusal, notFound, problemBody, type Refusal } from "./problems.ts";
import { draftIdOf } from "./tus-path.ts";

/** Describes an error that none of our rooms throws, and logs it when the fault is ours. */
export type JudgeFault = (error: Error, path: string) => Refusal;

/**
 * Resumable uploads by the tus protocol 1.0.0 (HEAD, PATCH, DELETE, OPTIONS) on top of drafts. There is no creation:
 * a declared draft takes its place. Permission is checked before a request comes here.
 */
export function tusUploads(
  publisher: Publisher,
  judgeFault: JudgeFault,
): (request: Request) => Promise<Response> {
  const server = new Server({
    path: "/api/v1/drafts",
    datastore: new DraftStore(publisher),
    getFileIdFromRequest: (request) => draftIdOf(new URL(request.url).pathname),
    // Only pages of the same origin and programs: other sites are allowed nothing.
    allowedOrigins: [],
    locker: new DraftLocks(),
    onResponseError: (request, error) => {
      const refusal =
        asRefusal(error) ??
        ownWords(error) ??
        judgeFault(asError(error), new URL(request.url).pathname);
      return { status_code: refusal.status, body: JSON.stringify(problemBody(refusal)) };
    },
  });
  return async (request) => asProblem(await server.handleWeb(request));
}

const CODES: Readonly<Record<number, ProblemCode>> = {
  404: "not_found",
  409: "bad_offset",
  410: "not_found",
  413: "too_large",
  415: "unsupported",
  500: "busy",
};

/** Refusals by the library itself: a status and a line of text. Its 500 means that a lock was not released. */
function ownWords(error: object): Refusal | undefined {
  if (!("status_code" in error) || typeof error.status_code !== "number") return undefined;
  const body = "body" in error ? String(error.body) : "";
  return refusalOf(error.status_code, body);
}

function refusalOf(status: number, text: string): Refusal {
  const code = CODES[status] ?? "bad_request";
  return { status: status === 500 ? 503 : status, code, message: text.trim() || "Refused." };
}

/** Refusals by the library that are not errors get the API's format too. */
async function asProblem(response: Response): Promise<Response> {
  if (response.status < 400) return response;
  const text = await response.text();
  const body = text.startsWith("{")
    ? text
    : JSON.stringify(problemBody(refusalOf(response.status, text)));
  const headers = new Headers(response.headers);
  headers.set("content-type", "application/json");
  headers.delete("content-length");
  return new Response(body, { status: response.status, headers });
}

function asError(error: Error | object): Error {
  return error instanceof Error ? error : new Error(JSON.stringify(error));
}

type ByteStream = Parameters<DataStore["write"]>[0];

/** Drafts as the tus server sees them. */
class DraftStore extends DataStore {
  readonly #publisher: Publisher;

  constructor(publisher: Publisher) {
    super();
    this.#publisher = publisher;
    this.extensions = ["termination"];
  }

  override async getUpload(id: string): Promise<Upload> {
    const draft = await this.#publisher.find(id);
    if (!draft) throw notFound("upload");
    return new Upload({ id, size: draft.size, offset: draft.offset });
  }

  override async write(stream: ByteStream, id: string, offset: number): Promise<number> {
    return this.#publisher.receive(id, offset, chunks(stream));
  }

  override async remove(id: string): Promise<void> {
    await this.#publisher.discard(id);
  }
}

async function* chunks(stream: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    invariant(chunk instanceof Uint8Array, "request bodies are bytes");
    yield chunk;
    release(chunk);
  }
}

/**
 * Frees the memory of a chunk at once. The garbage collector would do so, but it counts only the few hundred bytes of
 * the objects and not the 64 KiB behind each: a hundred MiB would wait for it during an upload.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
