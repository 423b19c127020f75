import type { Context } from "hono";
import { can } from "../accounts/permissions.ts";
import type { FormProblem } from "../api/form-problem.ts";
import type { FileListing } from "../api/pages.ts";
import { archivePath } from "../api/paths.ts";
import { FILES_PER_PAGE, type TorrentDetail } from "../api/torrents.ts";
import type { Work } from "../base/work.ts";
import type { Listing } from "../publish/catalogue.ts";
import type { FileIndex, ListedFile } from "../publish/file-list.ts";
import type { Removal } from "../publish/publications.ts";
import type { Workers } from "../publish/turns.ts";
import { Descriptions } from "./descriptions.ts";
import { sumFolders } from "./folder-sums.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import type { PageFrames } from "./page-frame.ts";
import { torrentFileLost } from "./problems.ts";
import { qrCode } from "./qr-code.ts";
import { fileEntry, removalView, Views } from "./views.ts";

const PAGE_MAX = 100_000;
export const QUERY_CHARACTERS_MAX = 200;

/** The texts from a form that comes back with a problem. */
interface Typed {
  readonly name: string;
  readonly comment: string;
  readonly problem: FormProblem;
}

/** The page at a torrent's address: the torrent, or the news that it was removed. */
export class TorrentPages {
  readonly #parts: HubParts;
  readonly #frames: PageFrames;
  readonly #descriptions = new Descriptions();

  constructor(parts: HubParts, frames: PageFrames) {
    this.#parts = parts;
    this.#frames = frames;
  }

  async torrent(c: Context<HubEnv>, listing: Listing, typed?: Typed): Promise<Response> {
    const views = new Views(this.#parts, c.var);
    const torrent = await views.detail(listing);
    if (!torrent) throw torrentFileLost();
    const query = (c.req.query("q") ?? "").slice(0, QUERY_CHARACTERS_MAX);
    const { files, fileList } = await this.#filesOfPage(
      listing,
      { query, page: pageNumber(c) },
      { views, work: c.var.work },
    );
    const mayChange = can(c.var.actor, "torrent.change", { ownerId: listing.publisherId });
    const shown = { name: listing.name, comment: listing.comment ?? "", problem: null };
    return this.#frames.respond(
      c,
      {
        kind: "torrent",
        torrent: { ...torrent, files },
        fileList,
        pieces: await views.pieceStrip(listing),
        description: await c.var.work.once(() => this.#descriptions.read(listing.comment)),
        zipPath: offersZip(torrent) ? archivePath(listing.id) : null,
        qr: await c.var.work.once(() => qrCode(torrent.pageUrl)),
        fresh: c.req.query("fresh") !== undefined,
        peers: can(c.var.actor, "hub.administer") ? views.peers(listing) : null,
        change: mayChange ? (typed ?? shown) : null,
      },
      typed ? 400 : 200,
    );
  }

  /** Says that it was removed, by whom and when, and offers to undo that to people who may. */
  async removed(c: Context<HubEnv>, removal: Removal): Promise<Response> {
    const mayUndo = can(c.var.actor, "torrent.change", { ownerId: removal.publisherId });
    const view = removalView(removal);
    return this.#frames.respond(
      c,
      {
        kind: "removed",
        // Its title may be the reason for the removal.
        removal: mayUndo ? view : { ...view, name: null },
        mayUndo: mayUndo && removal.undoUntilMs !== null,
      },
      410,
    );
  }

  async #filesOfPage(
    listing: Listing,
    wanted: { readonly query: string; readonly page: number },
    { views, work }: { readonly views: Views; readonly work: Workers },
  ) {
    const index = await this.#parts.catalogue.fileIndex(listing.id, work);
    if (!index) throw torrentFileLost();
    const damaged = await views.damagedFiles(listing);
    const { shown, fileList } = await work.run(findFiles(index, wanted));
    return { files: shown.map((file) => fileEntry(listing.id, file, damaged)), fileList };
  }
}

/** One page of the files that match all words of a query. */
function* findFiles(
  index: FileIndex,
  { query, page: wanted }: { readonly query: string; readonly page: number },
): Work<{ shown: ListedFile[]; fileList: FileListing }> {
  const places = yield* index.search(query);
  const pages = Math.max(1, Math.ceil(places.length / FILES_PER_PAGE));
  const page = Math.min(wanted, pages);
  const shown = Array.from(
    places.subarray((page - 1) * FILES_PER_PAGE, page * FILES_PER_PAGE),
    (place) => index.at(place),
  );
  const folders = yield* sumFolders(shown, places, index);
  return { shown, fileList: { query, page, pages, total: places.length, folders } };
}

/** The `page` of the address; anything invalid is the first page. */
export function pageNumber(c: Context<HubEnv>): number {
  const text = c.req.query("page") ?? "";
  return /^[1-9][0-9]{0,5}$/.test(text) ? Math.min(Number(text), PAGE_MAX) : 1;
}

/** Damage would end an archive in the middle, and a single file needs no archive. */
function offersZip({ fileCount, swarm }: TorrentDetail): boolean {
  return fileCount > 1 && swarm.fault === null;
}
