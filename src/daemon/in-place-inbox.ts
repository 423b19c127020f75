import { join } from "node:path";
import { z } from "zod";
import { titleSchema } from "../api/torrents.ts";
import { toHex } from "../base/bytes.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import { PublishError } from "../publish/publish-error.ts";
import { randomShortId } from "../publish/short-id.ts";
import type { TorrentAdoption } from "../publish/torrent-adoption.ts";

/** How often a running hub looks. */
const LOOK_MS = 1_000;
const FOLDER = "in-place";

const requestSchema = z.object({
  root: z.string().startsWith("/"),
  title: titleSchema.optional(),
});

export const inPlaceAnswerSchema = z.union([
  z.object({
    torrentId: z.string(),
    wasHere: z.boolean(),
    pageUrl: z.string(),
    magnet: z.string(),
  }),
  z.object({ problem: z.string() }),
]);

export type InPlaceAnswer = z.infer<typeof inPlaceAnswerSchema>;

/** Where a request lies below a hub's data folder, and its answer. */
export function inPlaceFiles(dataDir: string, name: string) {
  const folder = join(dataDir, FOLDER);
  return {
    folder,
    torrent: join(folder, `${name}.torrent`),
    /** Written last: what it names is complete. */
    request: join(folder, `${name}.request`),
    answer: join(folder, `${name}.answer`),
  };
}

export interface InPlaceInboxOptions {
  /** Absolute. */
  readonly dataDir: string;
  readonly adoption: Pick<TorrentAdoption, "adoptInPlace">;
  /** Whose torrents these are; `undefined` as long as there is no administrator. */
  readonly ownerId: () => Promise<string | undefined>;
  /** How a torrent is reached, by the addresses of today. */
  readonly addressesOf: (
    torrentId: string,
  ) => Promise<{ readonly pageUrl: string; readonly magnet: string }>;
  readonly files: Files;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Takes content that lies on the hub's machine into the catalogue. Requests come through the data folder: whoever can
 * write there owns the hub, so that no path of this machine is ever taken from the network.
 */
export class InPlaceInbox {
  readonly #options: InPlaceInboxOptions;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: InPlaceInboxOptions) {
    this.#options = options;
  }

  /** Looks now, and again and again. */
  async start(): Promise<void> {
    const { dataDir, files } = this.#options;
    const folder = join(dataDir, FOLDER);
    // Nobody waits for answers of an earlier run.
    for (const entry of await files.list(folder)) {
      if (entry.endsWith(".answer")) await files.remove(join(folder, entry));
    }
    await this.look();
    this.#timer = setInterval(() => {
      this.#work = this.#work.then(() => this.look());
    }, LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work;
  }

  /** Handles what is there. Never rejects: what cannot be done is in the answer, or in the log. */
  async look(): Promise<void> {
    const { dataDir, files, log } = this.#options;
    try {
      for (const entry of await files.list(join(dataDir, FOLDER))) {
        const name = /^([0-9a-z]+)\.request$/.exec(entry)?.[1];
        if (name !== undefined) await this.#handle(name);
      }
    } catch (error) {
      log.warn("what is to be published in place could not be read", { why: String(error) });
    }
  }

  async #handle(name: string): Promise<void> {
    const { dataDir, files, log } = this.#options;
    const places = inPlaceFiles(dataDir, name);
    let answer: InPlaceAnswer;
    try {
      answer = await this.#publish(places);
    } catch (error) {
      log.warn("a folder could not be published in place", { why: String(error) });
      answer = { problem: wordsOf(error) };
    }
    await files.write(places.answer, Buffer.from(JSON.stringify(answer)));
    await files.remove(places.request);
    await files.remove(places.torrent);
  }

  async #publish(places: ReturnType<typeof inPlaceFiles>): Promise<InPlaceAnswer> {
    const { files, random, adoption, ownerId, log } = this.#options;
    const [request, torrent] = await Promise.all([
      files.read(places.request),
      files.read(places.torrent),
    ]);
    if (!request || !torrent) throw new PublishError("not-found", "The request is incomplete.");
    const { root, title } = requestSchema.parse(JSON.parse(Buffer.from(request).toString()));
    const owner = await ownerId();
    if (owner === undefined) {
      throw new PublishError("closed", "This hub has no administrator yet: set it up first.");
    }
    const metainfo = parseMetainfo(torrent);
    const id = randomShortId(random);
    const torrentId = await adoption.adoptInPlace(metainfo, {
      id,
      ownerId: owner,
      contentRoot: root,
      title,
    });
    const { v1, v2 } = metainfo.info.infohashes;
    log.info("a folder was published in place", { id: torrentId, infohash: toHex((v1 ?? v2)!) });
    const addresses = await this.#options.addressesOf(torrentId);
    return { torrentId, wasHere: torrentId !== id, ...addresses };
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof PublishError || error instanceof MetainfoError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}
