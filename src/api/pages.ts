import type { SessionEntry, Token, User } from "./accounts.ts";
import type { Draft } from "./drafts.ts";
import type { FetchView } from "./fetches.ts";
import type { FormProblem } from "./form-problem.ts";
import type { PeerList } from "./peers.ts";
import type { Reach } from "./reach.ts";
import type { RichText } from "./rich-text.ts";
import type { TransferPage, TransfersPage } from "./transfer-pages.ts";
import type { Removal, TorrentDetail, TorrentList } from "./torrents.ts";

/**
 * What the hub knows and the pages show. The hub builds a `Page`, the server bundle renders it to a whole document,
 * and the browser bundle finds the same `Page` in the document and hydrates it.
 */
export interface Page {
  readonly frame: PageFrame;
  readonly model: PageModel;
}

/** The field of a form that holds `PageFrame.formToken`. */
export const FORM_TOKEN_FIELD = "form-token";

/** The values around every page. */
export interface PageFrame {
  readonly siteName: string;
  readonly version: string;
  /** Null for a stranger. */
  readonly user: User | null;
  /** Path and query of this page, for links that come back here (`/login?next=`). */
  readonly path: string;
  /** Absolute address of this page, for share previews. */
  readonly url: string;
  /** True when this user may publish: the Publish item is shown. */
  readonly mayPublish: boolean;
  /** True for administrators: the Admin item is shown. */
  readonly mayAdminister: boolean;
  /** True for those who may see the torrents that this node keeps for its owner: the Transfers item is shown. */
  readonly mayTransfer: boolean;
  /** Torrents in the catalogue and bytes kept; null before setup. */
  readonly totals: { readonly torrents: number; readonly bytes: number } | null;
  /** Sent with every form of this page that changes something; empty when there is no such form. */
  readonly formToken: string;
  /** Paths of the browser bundle, from Vite's manifest. */
  readonly assets: PageAssets;
}

export interface PageAssets {
  readonly scripts: readonly string[];
  /** The script of pages that have one of their own, by the kind of the page; it loads the others itself. */
  readonly ownScripts: Readonly<Record<string, string>>;
  readonly styles: readonly string[];
}

export type PageModel =
  | SetupPage
  | LoginPage
  | PublishPage
  | UploadPage
  | FetchPage
  | TorrentPage
  | RemovedPage
  | CataloguePage
  | HelpPage
  | AccountPage
  | ConnectionsPage
  | TransfersPage
  | TransferPage
  | MessagePage;

/**
 * `GET /setup`. The form is a plain POST to `/setup` (urlencoded: key, name, password, siteName) and works
 * without JavaScript; with it the key is taken out of the link's fragment. Success redirects to `/publish?first`.
 */
export interface SetupPage {
  readonly kind: "setup";
  /**
   * `open`: show the form. `reset`: show it for a new password or another administrator, because a setup link was
   * made. `elsewhere`: requested from another machine: "Setup is open on the terminal of the machine". `done`: there
   * is an administrator already.
   */
  readonly state: "open" | "reset" | "elsewhere" | "done";
  /** The key from a form that comes back; empty at first. */
  readonly key: string;
  readonly name: string;
  readonly siteName: string;
  readonly dataFolder: string;
  readonly freeBytes: number | null;
  readonly passwordMin: number;
  readonly problem: FormProblem | null;
}

/** `GET /login?next=`. Plain POST to `/login` (name, password, next). */
export interface LoginPage {
  readonly kind: "login";
  readonly name: string;
  /** Same-origin path to go to afterwards (HUB-23). */
  readonly next: string;
  readonly problem: FormProblem | null;
}

/**
 * `GET /publish`, signed in; `?from=torrent` opens at the other tab. Plain POST to `/publish/torrent` (source: a
 * magnet link or an infohash) redirects to the page of the fetch.
 */
export interface PublishPage {
  readonly kind: "publish";
  /** `files`: the person has the files; `torrent`: a .torrent file or a magnet link names them. */
  readonly from: "files" | "torrent";
  /** The text in the field for a magnet link. */
  readonly source: string;
  /** Why the form came back. */
  readonly problem: FormProblem | null;
  /** Right after setup: show the three-step hint. */
  readonly first: boolean;
  /** On the disk of the hub; null when unknown. */
  readonly freeBytes: number | null;
  readonly uploadBytesMax: number | null;
  readonly filesMax: number;
  /** The person's own unfinished uploads. */
  readonly drafts: readonly Draft[];
  /** The person's own fetches, oldest first. */
  readonly fetches: readonly FetchView[];
}

/** `GET /t/ID/SLUG` while the upload is under way. */
export interface UploadPage {
  readonly kind: "upload";
  readonly draft: Draft;
  /** True for the uploader, who may resume and cancel. */
  readonly mine: boolean;
  readonly qr: QrCode;
}

/** `GET /t/ID/SLUG` while the hub fetches the torrent from its swarm. Plain POSTs: `/t/ID/cancel`, `/t/ID/retry`. */
export interface FetchPage {
  readonly kind: "fetch";
  readonly id: string;
  /** Null for a stranger when the fetch failed: the torrent may never become public. */
  readonly name: string | null;
  readonly createdAt: string;
  readonly state: Exclude<FetchView["state"], "published">;
  /** Bytes of all files; null until the details are known. */
  readonly size: number | null;
  readonly bytesDone: number;
  readonly pageUrl: string;
  readonly qr: QrCode;
  /** For people who may cancel and retry it; null for all others. */
  readonly mine: Pick<
    FetchView,
    "infohash" | "problem" | "bytesPerSecond" | "peers" | "slowness" | "trackerNotices"
  > | null;
}

/** `GET /t/ID/SLUG`. */
export interface TorrentPage {
  readonly kind: "torrent";
  /** Its `files` are those of this page, in natural order: see `fileList`. */
  readonly torrent: TorrentDetail;
  readonly fileList: FileListing;
  readonly pieces: PieceStrip;
  /** The torrent's comment, read as Markdown; empty when it has none. */
  readonly description: RichText;
  /**
   * All files in one archive, or the files that `?file=` names by index; null when there is only one file, or when
   * damage could end the archive in the middle.
   */
  readonly zipPath: string | null;
  /** Of the page's address. */
  readonly qr: QrCode;
  /** Right after the upload: "Published". */
  readonly fresh: boolean;
  /** The connected peers, for administrators; null for all others. */
  readonly peers: PeerList | null;
  /** The values of the form to change it; null for people who may not. */
  readonly change: TorrentChangeForm | null;
}

/** Plain POSTs: `/t/ID/edit` (name, comment), `/t/ID/remove`. */
export interface TorrentChangeForm {
  readonly name: string;
  readonly comment: string;
  readonly problem: FormProblem | null;
}

/** `GET /t/ID/SLUG` of a removed torrent, with status 410. Plain POST to `/t/ID/restore`. */
export interface RemovedPage {
  readonly kind: "removed";
  /** Its `name` is null for people who may not undo the removal. */
  readonly removal: Removal;
  readonly mayUndo: boolean;
}

/** The files of a torrent on one page: `?q=` searches their paths, `?page=` turns `FILES_PER_PAGE`. */
export interface FileListing {
  readonly query: string;
  /** Counts from 1. */
  readonly page: number;
  readonly pages: number;
  /** Files that match the query. */
  readonly total: number;
  /** Each folder of a file on this page, to `FOLDER_DEPTH_MAX`, with its totals. */
  readonly folders: readonly FolderSum[];
}

export interface FolderSum {
  /** Below the torrent's folder, parts joined by "/". */
  readonly path: string;
  readonly fileCount: number;
  readonly size: number;
}

/** Nested folders that a page shows as such; deeper ones become part of the file's name. */
export const FOLDER_DEPTH_MAX = 6;

/** The pieces of a torrent from the first to the last, summed up in at most `PIECE_CELLS_MAX` cells. */
export interface PieceStrip {
  /** For each cell the copies of its rarest piece: the hub's own, those of seeds, those of connected peers. */
  readonly copies: readonly number[];
  /** Cells with a piece that the hub itself does not have. */
  readonly lacking: readonly number[];
  /** Pieces that the hub itself does not have. */
  readonly missing: number;
}

export const PIECE_CELLS_MAX = 120;

/** Drawn as `<svg viewBox="0 0 size size"><path d={path}/></svg>`, dark modules on light. */
export interface QrCode {
  readonly size: number;
  readonly path: string;
}

/** `GET /help`, for people who never heard of BitTorrent. */
export interface HelpPage {
  readonly kind: "help";
}

/** `GET /` and `GET /search?q=&page=`. */
export interface CataloguePage {
  readonly kind: "catalogue";
  readonly list: TorrentList;
}

/**
 * `GET /account`. Plain POSTs: `/account/tokens` (name, scope, expiresInDays), `/account/tokens/ID/revoke`,
 * `/account/sessions/ID/end`, `/account/password` (current, password), `/logout`.
 */
export interface AccountPage {
  readonly kind: "account";
  readonly tokens: readonly Token[];
  /** Shown only once, right after it was made. */
  readonly createdToken: { readonly name: string; readonly token: string } | null;
  readonly sessions: readonly SessionEntry[];
  readonly problem: FormProblem | null;
  /** The last action, in words; null when there was none. */
  readonly notice: string | null;
}

/**
 * `GET /admin/connections`. Plain POST there: one field for each setting, by its key. A rate is in KiB per second, a
 * switch `on` or `off`, a list one item a line; settings that are given elsewhere are left out.
 */
export interface ConnectionsPage {
  readonly kind: "connections";
  readonly reach: Reach;
  /** Texts of a form that came back, by key; null otherwise. */
  readonly typed: Readonly<Record<string, string>> | null;
  readonly problem: FormProblem | null;
  /** Right after a change. */
  readonly saved: boolean;
}

/** An error page: not found, not allowed or broken. */
export interface MessagePage {
  readonly kind: "message";
  readonly status: number;
  readonly title: string;
  readonly text: string;
  readonly hint: string | null;
  /** Names the line in the log; null when the fault is not ours. */
  readonly errorId: string | null;
  /** The words to offer a search for, on a page that was not found. */
  readonly search: boolean;
}

/**
 * The default export of `web/dist/server/render.js`.
 *
 * The document holds the page as `<script type="application/json" id="page">` with every `<` written as
 * `\u003c`; no other inline script, no inline style (the security policy refuses both).
 */
export interface PageRenderer {
  /** @returns The whole document, from `<!doctype html>` on. */
  render(page: Page): Promise<string>;
}
