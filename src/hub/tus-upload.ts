import { DataStore, Server, Upload } from "@tus/server";
import { invariant } from "../base/errors.ts";
import type { Publisher } from "../publish/publisher.ts";
import { asRefusal, notFound, problemBody } from "./problems.ts";
import { draftIdOf } from "./tus-path.ts";

/**
 * Resumable uploads by the tus protocol 1.0.0 (HEAD, PATCH, DELETE, OPTIONS) on top of drafts. There is no
 * creation: declaring the draft is. Who may do it is decided before a request comes here.
 */
export function tusUploads(publisher: Publisher): (request: Request) => Promise<Response> {
  const server = new Server({
    path: "/api/v1/drafts",
    datastore: new DraftStore(publisher),
    getFileIdFromRequest: (request) => draftIdOf(new URL(request.url).pathname),
    // Same-origin pages and programs only: nothing is allowed to other sites.
    allowedOrigins: [],
    onResponseError: (_request, error) => {
      const refusal = asRefusal(error);
      if (!refusal) return undefined;
      return { status_code: refusal.status, body: JSON.stringify(problemBody(refusal)) };
    },
  });
  return async (request) => {
    const response = await server.handleWeb(request);
    const type = response.status >= 400 ? "application/json" : undefined;
    if (type) response.headers.set("content-type", type);
    return response;
  };
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
 * Gives the memory of a chunk back at once. The collector would, but it counts the few hundred bytes of the
 * objects and not the 64 KiB behind each of them: a hundred MiB wait for it while an upload runs.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
