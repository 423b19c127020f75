import { type Context, Hono } from "hono";
import { PASSWORD_CHARACTERS } from "../accounts/credential-rules.ts";
import { can } from "../accounts/permissions.ts";
import { DRAFT_FILES_MAX } from "../api/drafts.ts";
import type { FileListing, FormProblem, SetupPage } from "../api/pages.ts";
import { archivePath, torrentPagePath } from "../api/paths.ts";
import { FILES_PER_PAGE, type TorrentDetail } from "../api/torrents.ts";
import type { Listing } from "../publish/catalogue.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import { safeNext } from "./next-path.ts";
import type { PageFrames } from "./page-frame.ts";
import { notAllowed, notFound, torrentFileLost } from "./problems.ts";
import { qrCode } from "./qr-code.ts";
import { Descriptions } from "./descriptions.ts";
import { sumFolders } from "./folder-sums.ts";
import { fileEntry, sessionView, tokenView, Views } from "./views.ts";

const PAGE_MAX = 100_000;
const QUERY_CHARACTERS_MAX = 200;

/** What people look at. Everything here reads without JavaScript. */
export function pageRoutes(parts: HubParts, frames: PageFrames): Hono<HubEnv> {
  const { accounts, catalogue, publisher, site, limits } = parts;
  const descriptions = new Descriptions();
  const app = new Hono<HubEnv>();

  app.get("/", (c) => cataloguePage(c));
  app.get("/search", (c) => cataloguePage(c));

  app.get("/setup", async (c) =>
    frames.respond(c, await setupPage(parts, await setupState(accounts))),
  );

  app.get("/login", async (c) => {
    const next = safeNext(c.req.query("next"));
    if (c.var.actor.kind === "user") return c.redirect(next, 303);
    return frames.respond(c, { kind: "login", name: "", next, problem: null });
  });

  app.get("/publish", async (c) => {
    const { actor } = c.var;
    if (actor.kind === "stranger") return c.redirect(loginPath(c), 303);
    if (!can(actor, "torrent.publish")) throw notAllowed(true);
    const views = new Views(parts, c.var.origin);
    const drafts = await publisher.listOpen(actor.id);
    return frames.respond(c, {
      kind: "publish",
      first: c.req.query("first") !== undefined,
      freeBytes: await site.freeBytes(),
      uploadBytesMax: limits.uploadBytesMax ?? null,
      filesMax: DRAFT_FILES_MAX,
      drafts: await Promise.all(drafts.map((draft) => views.draft(draft))),
    });
  });

  app.get("/help", (c) => frames.respond(c, { kind: "help" }));

  app.get("/account", async (c) => {
    if (c.var.actor.kind === "stranger") return c.redirect(loginPath(c), 303);
    return accountPage(parts, frames, c, {});
  });

  app.get("/t/:id/:slug?", async (c) => {
    const id = c.req.param("id");
    const listing = await catalogue.find(id);
    if (!listing) return uploadPage(c, id);
    const path = torrentPagePath(listing.id, listing.name);
    const url = new URL(c.req.url);
    // One address for each torrent, whatever name a link carries.
    if (url.pathname !== path) return c.redirect(path + url.search, 301);
    return torrentPage(c, listing);
  });

  return app;

  async function cataloguePage(c: Context<HubEnv>): Promise<Response> {
    const query = (c.req.query("q") ?? "").slice(0, QUERY_CHARACTERS_MAX);
    const list = await new Views(parts, c.var.origin).list(query, pageNumber(c));
    return frames.respond(c, { kind: "catalogue", list });
  }

  async function torrentPage(c: Context<HubEnv>, listing: Listing): Promise<Response> {
    const views = new Views(parts, c.var.origin);
    const torrent = await views.detail(listing);
    if (!torrent) throw torrentFileLost();
    const query = (c.req.query("q") ?? "").slice(0, QUERY_CHARACTERS_MAX);
    const { files, fileList } = await filesOfPage(listing, query, pageNumber(c), views);
    return frames.respond(c, {
      kind: "torrent",
      torrent: { ...torrent, files },
      fileList,
      pieces: await views.pieceStrip(listing),
      description: descriptions.read(listing.comment),
      zipPath: offersZip(torrent) ? archivePath(listing.id) : null,
      qr: qrCode(torrent.pageUrl),
      fresh: c.req.query("fresh") !== undefined,
    });
  }

  async function filesOfPage(listing: Listing, query: string, wanted: number, views: Views) {
    const all = await catalogue.filesInOrder(listing.id);
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

  /** The link works from the first second: it says how far the upload got. */
  async function uploadPage(c: Context<HubEnv>, id: string): Promise<Response> {
    const draft = await publisher.find(id);
    if (!draft) throw notFound("torrent");
    const view = await new Views(parts, c.var.origin).draft(draft);
    return frames.respond(c, {
      kind: "upload",
      draft: view,
      mine: can(c.var.actor, "draft.change", draft),
      qr: qrCode(view.pageUrl),
    });
  }
}

export async function setupState(
  accounts: HubParts["accounts"],
): Promise<"open" | "reset" | "done"> {
  if (accounts.setupOpen) return "open";
  return (await accounts.isLinkOpen()) ? "reset" : "done";
}

export async function setupPage(
  { site }: HubParts,
  state: SetupPage["state"],
  filled: { key?: string; name?: string; siteName?: string; problem?: FormProblem } = {},
): Promise<SetupPage> {
  return {
    kind: "setup",
    state,
    key: filled.key ?? "",
    name: filled.name ?? "admin",
    siteName: filled.siteName ?? site.name(),
    // Strangers on other machines learn nothing about this one.
    dataFolder: state === "open" ? site.dataFolder : "",
    freeBytes: state === "open" ? await site.freeBytes() : null,
    passwordMin: PASSWORD_CHARACTERS.min,
    problem: filled.problem ?? null,
  };
}

export async function accountPage(
  { accounts }: HubParts,
  frames: PageFrames,
  c: Context<HubEnv>,
  news: {
    createdToken?: { name: string; token: string };
    problem?: FormProblem;
    notice?: string;
    status?: number;
    /** After a change of password the old cookie is worth nothing. */
    credentials?: HubEnv["Variables"]["credentials"];
  },
): Promise<Response> {
  const { actor } = c.var;
  if (actor.kind === "stranger" || !can(actor, "account.change")) {
    throw notAllowed(actor.kind === "user");
  }
  const [tokens, sessions] = await Promise.all([
    accounts.tokens(actor.id),
    accounts.sessions(news.credentials ?? c.var.credentials),
  ]);
  return frames.respond(
    c,
    {
      kind: "account",
      tokens: tokens.map(tokenView),
      createdToken: news.createdToken ?? null,
      sessions: sessions.map(sessionView),
      problem: news.problem ?? null,
      notice: news.notice ?? null,
    },
    news.status,
  );
}

function loginPath(c: Context<HubEnv>): string {
  const url = new URL(c.req.url);
  return `/login?next=${encodeURIComponent(url.pathname + url.search)}`;
}

/** The `page` of the address; nonsense is the first page. */
function pageNumber(c: Context<HubEnv>): number {
  const text = c.req.query("page") ?? "";
  return /^[1-9][0-9]{0,5}$/.test(text) ? Math.min(Number(text), PAGE_MAX) : 1;
}

/** Damage ends an archive in the middle; one file needs none. */
function offersZip({ fileCount, swarm }: TorrentDetail): boolean {
  return fileCount > 1 && swarm.fault === null;
}
