import { type Context, Hono } from "hono";
import { toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import { wireInfohashes } from "../base/infohash.ts";
import type { Work } from "../base/work.ts";
import type { Listing } from "../publish/catalogue.ts";
import type { StoredContent } from "../publish/stored-contents.ts";
import { absent } from "./absent.ts";
import { breakOff } from "./break-off.ts";
import { archiveName, attachment } from "./download-name.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import type { DirectDownload } from "./direct-downloads.ts";
import { judgedStream } from "./judged-stream.ts";
import { partialAnswer } from "./partial-answer.ts";
import { notFound, RefusedError } from "./problems.ts";
import { FOREIGN_POLICY } from "./security-headers.ts";
import { type Seat, StreamSeats } from "./stream-seats.ts";
import { chosenFiles } from "./zip/file-choice.ts";
import { type Zip, zipBytes } from "./zip/zip-bytes.ts";
import { ZipLayout } from "./zip/zip-layout.ts";
import { dosTime } from "./zip/zip-records.ts";

/** Archives in progress at once; each holds two chunks and a few open files. */
const ZIPS_MAX = 200;
/** Archives of one address: enough for a program that fetches parts of an archive in parallel. */
const ZIPS_PER_ADDRESS_MAX = 16;
/** Changes when the same files would give other bytes. */
const FORM = "zip-1";

/**
 * All or selected files of a torrent as one archive, generated while it is read: `/t/ID.zip`, `?file=3&file=10-19`.
 * Its length is known at once, and any part can be requested.
 */
export function zipRoutes(parts: HubParts): Hono<HubEnv> {
  const { catalogue, contents, clock, faults, log, downloads } = parts;
  const limits = { all: ZIPS_MAX, perAddress: ZIPS_PER_ADDRESS_MAX };
  const seats = new StreamSeats(limits, clock);
  const app = new Hono<HubEnv>();

  app.get("/t/:file{[0-9a-z]{1,32}\\.zip}", async (c) => {
    const id = c.req.param("file").slice(0, -".zip".length);
    const listing = await catalogue.find(id);
    if (!listing) throw await absent(parts, id, "torrent");
    const stop = new AbortController();
    const { remoteAddress: address } = c.env;
    const seat = seats.take(address, () => {
      faults.count("slow-reader", { address });
      stop.abort(new Error("others wait for a seat, and the reader is slow"));
      c.env.cut?.();
    });
    if (!seat) throw BUSY;
    let content: StoredContent | undefined;
    let isStreaming = false;
    let ending: Promise<void> | undefined;
    const end = (): Promise<void> => {
      seat.leave();
      return (ending ??= content ? contents.release(content) : Promise.resolve());
    };
    try {
      // Read here, at the asker's cost; opening finds it in memory.
      await catalogue.metainfo(listing.id, c.var.work);
      content = await contents.open(listing.id);
      if (!content) throw notFound("torrent");
      const choice = c.req.queries("file") ?? [];
      const zip = await c.var.work.run(layOut(content, listing, choice));
      const response = await answer(c, { zip, listing, seat, stop, end });
      isStreaming = response.body !== null;
      return response;
    } finally {
      if (!isStreaming) await end();
    }
  });

  return app;

  async function answer(
    c: Context<HubEnv>,
    { zip, listing, seat, stop, end }: ZipAnswer,
  ): Promise<Response> {
    const { size } = zip.layout;
    const etag = await c.var.work.once(() => etagOf(zip, listing));
    const headers = new Headers({
      "content-type": "application/zip",
      "content-disposition": attachment(archiveName(listing.name)),
      "content-security-policy": FOREIGN_POLICY,
      "cache-control": "public, max-age=0, must-revalidate",
    });
    const asked = partialAnswer(c, { size, etag, headers });
    if (asked instanceof Response) return asked;
    const { status, part } = asked;
    if (c.req.method === "HEAD") return new Response(null, { status, headers });
    const fail = (controller: ReadableStreamDefaultController, cause: unknown): void => {
      // Neither a slow reader nor a removed torrent is our fault.
      log[stop.signal.aborted ? "debug" : "warn"]("a download broke off", {
        id: listing.id,
        why: String(cause),
      });
      breakOff(controller, c.env, cause);
    };
    const chunks = zipBytes(zip, part, { signal: stop.signal, breathe });
    const begin = (breakOffNow: () => void): DirectDownload => {
      const download = downloads.begin(listing.id, breakOffNow);
      const count = (bytes: number): void => {
        seat.count(bytes);
        download.count(bytes);
      };
      return { count, end: () => download.end() };
    };
    const body = await judgedStream(chunks, stop, { begin, end, fail });
    return new Response(body, { status, headers });
  }

  /** Lets other work have a turn. */
  async function breathe(): Promise<void> {
    await new Promise<void>((resolve) => clock.startTimer(0, resolve));
  }
}

/** The parts of an archive, and the resources it holds until its end. */
interface ZipAnswer {
  readonly zip: Zip;
  readonly listing: Listing;
  readonly seat: Seat;
  readonly stop: AbortController;
  readonly end: () => Promise<void>;
}

function* layOut(content: StoredContent, listing: Listing, choice: readonly string[]): Work<Zip> {
  const files = chosenFiles(choice, content.files.length);
  const input = (entry: number) => {
    const { path, length, executable } = content.files[files[entry]!]!;
    return { path: path.join("/"), size: length, executable };
  };
  const layout = yield* ZipLayout.build(files.length, input);
  return { layout, content, files, time: dosTime(listing.publishedMs) };
}

const BUSY = new RefusedError({
  status: 503,
  code: "busy",
  message: "Too many archives are being downloaded at the moment.",
  hint: "Try again in a moment, or fetch the files one by one.",
  retryAfter: 15,
});

/** The same files of the same torrent always give the same bytes. */
function etagOf({ files }: Zip, { infohashes, publishedMs }: Listing): string {
  const digest = sha256(new Uint8Array(files.buffer, files.byteOffset, files.byteLength));
  const content = toHex(wireInfohashes(infohashes)[0]!);
  return `"${FORM}-${content}-${publishedMs}-${toHex(digest.subarray(0, 8))}"`;
}
