import type { Context } from "hono";
import { can } from "../accounts/permissions.ts";
import type { FileListing, FormProblem } from "../api/pages.ts";
import { archivePath } from "../api/paths.ts";
import { FILES_PER_PAGE, type TorrentDetail } from "../api/torrents.ts";
import type { Listing } from "../publish/catalogue.ts";
import type { Removal } from "../publish/publications.ts";
import { Descriptions } from "./descriptions.ts";
import { sumFolders } from "./folder-sums.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import type { PageFrames } from "./page-frame.ts";
import { torrentFileLost } from "./problems.ts";
import { qrCode } from "./qr-code.ts";
import { fileEntry, removalView, Views } from "./views.ts";

const PAGE_MAX = 100_000;
export const QUERY_CHARACTERS_MAX = 200;

/** What somebody typed who wants to change a torrent, when it comes back with a problem. */
interface Typed {
  readonly name: string;
  readonly comment: string;
  readonly problem: FormProblem;
}

/** The page at a torrent's address: what it is, or that it was taken back. */
export class TorrentPages {
  readonly #parts: HubParts;
  readonly #frames: PageFrames;
  readonly #descriptions = new Descriptions();

  constructor(parts: HubParts, frames: PageFrames) {
    this.#parts = parts;
    this.#frames = frames;
  }

  async torrent(c: Context<HubEnv>, listing: Listing, typed?: Typed): Promise<Response> {
    const views = new Views(this.#parts, c.var.origin);
    const torrent = await views.detail(listing);
    if (!torrent) throw torrentFileLost();
    const query = (c.req.query("q") ?? "").slice(0, QUERY_CHARACTERS_MAX);
    const { files, fileList } = await this.#filesOfPage(listing, query, pageNumber(c), views);
    const mayChange = can(c.var.actor, "torrent.change", { ownerId: listing.publisherId });
    const shown = { name: listing.name, comment: listing.comment ?? "", problem: null };
    return this.#frames.respond(
      c,
      {
        kind: "torrent",
        torrent: { ...torrent, files },
        fileList,
        pieces: await views.pieceStrip(listing),
        description: this.#descriptions.read(listing.comment),
        zipPath: offersZip(torrent) ? archivePath(listing.id) : null,
        qr: qrCode(torrent.pageUrl),
        fresh: c.req.query("fresh") !== undefined,
        change: mayChange ? (typed ?? shown) : null,
      },
      typed ? 400 : 200,
    );
  }

  /** Says that it was taken back, by whom and when, and lets those undo it who may. */
  async removed(c: Context<HubEnv>, removal: Removal): Promise<Response> {
    const mayUndo = can(c.var.actor, "torrent.change", { ownerId: removal.publisherId });
    const view = removalView(removal);
    return this.#frames.respond(
      c,
      {
        kind: "removed",
        // Its title may be why it was removed.
        removal: mayUndo ? view : { ...view, name: null },
        mayUndo: mayUndo && removal.undoUntilMs !== null,
      },
      410,
    );
  }

  async #filesOfPage(listing: Listing, query: string, wanted: number, views: Views) {
    const all = await this.#parts.catalogue.filesInOrder(listing.id);
    const damaged = await views.damagedFiles(listing);
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = all.filter((file) => {
      const path = file.path.toLowerCase();
      return words.every((word) => path.includes(word));
    });
    const pages = Math.max(1, Math.ceil(matching.length / FILES_PER_PAGE));
    const page = Math.min(wanted, pages);
    const shown = matching.slice((page - 1) * FILES_PER_PAGE, page * FILES_PER_PAGE);
    const folders = sumFolders(shown, matching);
    const fileList: FileListing = { query, page, pages, total: matching.length, folders };
    return { files: shown.map((file) => fileEntry(listing.id, file, damaged)), fileList };
  }
}

/** The `page` of the address; nonsense is the first page. */
export function pageNumber(c: Context<HubEnv>): number {
  const text = c.req.query("page") ?? "";
  return /^[1-9][0-9]{0,5}$/.test(text) ? Math.min(Number(text), PAGE_MAX) : 1;
}

/** Damage ends an archive in the middle; one file needs none. */
function offersZip({ fileCount, swarm }: TorrentDetail): boolean {
  return fileCount > 1 && swarm.fault === null;
}
