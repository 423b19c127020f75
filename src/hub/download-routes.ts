import { type Context, Hono } from "hono";
import { lackingPieces } from "../publish/damaged-files.ts";
import { PublishError } from "../publish/publish-error.ts";
import type { StoredContent } from "../publish/stored-contents.ts";
import type { StoredFile } from "../publish/catalogue.ts";
import { absent } from "./absent.ts";
import { breakOff } from "./break-off.ts";
import type { ByteRange } from "./byte-range.ts";
import { attachment } from "./download-name.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import type { DirectDownload } from "./direct-downloads.ts";
import { fileBytes, judgedStream } from "./judged-stream.ts";
import { partialAnswer } from "./partial-answer.ts";
import { fileLost } from "./problems.ts";
import { FOREIGN_POLICY } from "./security-headers.ts";
import { Views } from "./views.ts";

/** The .torrent file and direct downloads. Files are found by number; the name in the URL is decoration (HUB-6). */
export function downloadRoutes(parts: HubParts): Hono<HubEnv> {
  const { catalogue, contents, downloads, everseed, files, log, lookAt } = parts;
  const app = new Hono<HubEnv>();

  app.get("/t/:file{[0-9a-z]{1,32}\\.torrent}", async (c) => {
    const id = c.req.param("file").slice(0, -".torrent".length);
    const listing = await catalogue.find(id);
    const addresses = listing && new Views(parts, c.var).addresses(listing);
    const bytes = addresses && (await catalogue.torrentFile(listing, addresses, c.var.work));
    if (!listing || !bytes) throw await absent(parts, id, "torrent");
    const headers = new Headers({
      "content-type": "application/x-bittorrent",
      "content-disposition": attachment(`${listing.name}.torrent`),
      "content-length": String(bytes.length),
      "content-security-policy": FOREIGN_POLICY,
      // It contains the hub's current addresses.
      "cache-control": "no-cache",
    });
    return new Response(c.req.method === "HEAD" ? null : bytes, { headers });
  });

  app.get("/t/:id/files/:index{[0-9]{1,7}}/:name?", async (c) => {
    const id = c.req.param("id");
    const file = await catalogue.file(id, Number(c.req.param("index")), c.var.work);
    if (!file) throw await absent(parts, id, "file");
    return download(c, id, file);
  });

  app.get("/t/:id/seed/:path{.+}", async (c) => {
    const id = c.req.param("id");
    const file = await catalogue.fileAt(id, c.req.param("path"), c.var.work);
    if (!file) throw await absent(parts, id, "file");
    return download(c, id, file);
  });

  return app;

  async function download(c: Context<HubEnv>, id: string, file: StoredFile): Promise<Response> {
    const open = await files.openRead(file.location);
    await open?.close();
    if (open?.size !== file.size) {
      lookAt(id);
      throw fileLost();
    }
    const etag = `"${file.version}-${open.size}-${Math.trunc(open.mtimeMs)}"`;
    const asked = partialAnswer(c, { size: open.size, etag, headers: fileHeaders(file) });
    if (asked instanceof Response) return asked;
    const { status, headers, part } = asked;
    if (part.last < part.first) return new Response(null, { status, headers });
    const body = await judged(c, file, part);
    return new Response(body, { status, headers });
  }

  /** @returns The bytes; null when they were not requested. Damage is refused in both cases. */
  async function judged(
    c: Context<HubEnv>,
    file: StoredFile,
    part: ByteRange,
  ): Promise<ReadableStream<Uint8Array> | null> {
    const { torrentId, index } = file;
    const content = await contents.open(torrentId);
    if (!content) throw await absent(parts, torrentId, "file");
    let ending: Promise<void> | undefined;
    const end = (): Promise<void> => (ending ??= contents.release(content));
    const stop = new AbortController();
    const fail = (controller: ReadableStreamDefaultController, cause: unknown): void => {
      log.warn("a download broke off", { id: torrentId, file: file.path, why: String(cause) });
      if (!stop.signal.aborted) lookAt(torrentId);
      breakOff(controller, c.env, cause);
    };
    let isStreaming = false;
    try {
      await content.judgeAnew(await knownDamage(c, content, index, part));
      if (c.req.method === "HEAD") return null;
      const chunks = fileBytes(content, index, part, stop.signal);
      const begin = (breakOffNow: () => void): DirectDownload =>
        downloads.begin(torrentId, breakOffNow);
      const stream = await judgedStream(chunks, stop, { begin, end, fail });
      isStreaming = true;
      return stream;
    } catch (error) {
      if (!(error instanceof PublishError) || error.code !== "damaged") throw error;
      lookAt(torrentId);
      throw fileLost();
    } finally {
      if (!isStreaming) await end();
    }
  }

  /** Checks pieces that were damaged when last read: somebody may have repaired them since. */
  async function knownDamage(
    c: Context<HubEnv>,
    content: StoredContent,
    file: number,
    part: ByteRange,
  ): Promise<number[]> {
    const { damage } = everseed(content.torrent.id);
    if (!damage) return [];
    const lost = await c.var.work.run(lackingPieces(content.info, damage));
    const { pieceLength } = content.info.geometry;
    const { offset } = content.files[file]!;
    const first = Math.floor((offset + part.first) / pieceLength);
    const last = Math.floor((offset + part.last) / pieceLength);
    return [...lost].filter((piece) => piece >= first && piece <= last);
  }
}

function fileHeaders(file: StoredFile): Headers {
  const name = file.path.slice(file.path.lastIndexOf("/") + 1);
  return new Headers({
    // Never a type that a browser would run on our origin, whatever the file is.
    "content-type": "application/octet-stream",
    "content-disposition": attachment(name),
    "content-security-policy": FOREIGN_POLICY,
    "cache-control": "public, max-age=0, must-revalidate",
  });
}
