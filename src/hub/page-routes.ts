import { type Context, Hono } from "hono";
import { PASSWORD_CHARACTERS } from "../accounts/credential-rules.ts";
import { can } from "../accounts/permissions.ts";
import type { FormProblem } from "../api/form-problem.ts";
import type { SetupPage } from "../api/pages.ts";
import { torrentPagePath } from "../api/paths.ts";
import { absent } from "./absent.ts";
import { fetchModel, publishPage } from "./fetch-pages.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import { loginPath } from "./login-path.ts";
import { safeNext } from "./next-path.ts";
import type { PageFrames } from "./page-frame.ts";
import { notAllowed, notFound } from "./problems.ts";
import { qrCode } from "./qr-code.ts";
import { pageNumber, QUERY_CHARACTERS_MAX, type TorrentPages } from "./torrent-pages.ts";
import { sessionView, tokenView, Views } from "./views.ts";

/** The pages for people. Everything here can be read without JavaScript. */
export function pageRoutes(
  parts: HubParts,
  frames: PageFrames,
  torrents: TorrentPages,
): Hono<HubEnv> {
  const { accounts, catalogue, fetches, publications, publisher } = parts;
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
    const first = c.req.query("first") !== undefined;
    const from = c.req.query("from") === "torrent" ? "torrent" : "files";
    return frames.respond(c, await publishPage(parts, c.var, actor.id, { from, first }));
  });

  app.get("/help", (c) => frames.respond(c, { kind: "help" }));

  app.get("/account", async (c) => {
    if (c.var.actor.kind === "stranger") return c.redirect(loginPath(c), 303);
    return accountPage(parts, frames, c, {});
  });

  app.get("/t/:id/:slug?", async (c) => {
    const id = c.req.param("id");
    const listing = await catalogue.find(id);
    if (!listing) return comingPage(c, id);
    const path = torrentPagePath(listing.id, listing.name);
    const url = new URL(c.req.url);
    // Each torrent has one address, whatever name a link carries.
    if (url.pathname !== path) return c.redirect(path + url.search, 301);
    return torrents.torrent(c, listing);
  });

  return app;

  async function cataloguePage(c: Context<HubEnv>): Promise<Response> {
    const query = (c.req.query("q") ?? "").slice(0, QUERY_CHARACTERS_MAX);
    const list = await new Views(parts, c.var).list(query, pageNumber(c));
    return frames.respond(c, { kind: "catalogue", list });
  }

  /** The link works from the first second: it shows how far the upload or the fetch has got. */
  async function comingPage(c: Context<HubEnv>, id: string): Promise<Response> {
    const removal = await publications.findRemoved(id);
    if (removal) return torrents.removed(c, removal);
    const draft = await publisher.look(id);
    if (!draft) return fetchPage(c, id);
    const view = await new Views(parts, c.var).draft(draft);
    return frames.respond(c, {
      kind: "upload",
      draft: view,
      mine: can(c.var.actor, "draft.change", draft),
      qr: await c.var.work.once(() => qrCode(view.pageUrl)),
    });
  }

  async function fetchPage(c: Context<HubEnv>, id: string): Promise<Response> {
    const fetch = await fetches.find(id);
    if (!fetch) throw notFound("torrent");
    const model = await fetchModel(fetch, c.var, can(c.var.actor, "torrent.change", fetch));
    if (model) return frames.respond(c, model);
    // Its content was already here, at the address of another torrent.
    const { torrentId } = fetch;
    const listing = torrentId === null ? undefined : await catalogue.find(torrentId);
    if (!listing) throw await absent(parts, torrentId ?? id, "torrent");
    return c.redirect(torrentPagePath(listing.id, listing.name), 303);
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
    // Strangers on other machines learn nothing about this machine.
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
    /** After a change of password, the old cookie is worthless. */
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
