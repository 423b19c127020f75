import { createRoute, z } from "@hono/zod-openapi";
import { peerListSchema } from "../api/peers.ts";
import {
  FILES_PER_PAGE,
  removalSchema,
  torrentChangeSchema,
  type TorrentDetail,
  torrentDetailSchema,
  torrentFilesSchema,
  torrentListSchema,
} from "../api/torrents.ts";
import { versionInputSchema, versionItem } from "../api/versions.ts";
import { absent } from "./absent.ts";
import {
  answers,
  createApiApp,
  type ApiApp,
  demand,
  idParameter,
  limitBody,
  requires,
  takes,
} from "./api-app.ts";
import type { Actor } from "../accounts/permissions.ts";
import type { Listing } from "../publish/catalogue.ts";
import type { Workers } from "../publish/turns.ts";
import type { HubParts } from "./hub-parts.ts";
import type { LiveFigures } from "./live-figures.ts";
import { notFound, RefusedError, torrentFileLost } from "./problems.ts";
import { fileEntry, removalView, Views } from "./views.ts";

/** Pages further back than this must be found by a search. */
const PAGE_MAX = 100_000;
const QUERY_CHARACTERS_MAX = 200;
/** A description of 10,000 characters, escaped. */
const CHANGE_BYTES_MAX = 128 * 1024;
/** A value, a signature, a key and a salt, in hexadecimal. */
const VERSION_BYTES_MAX = 8 * 1024;

const listRoute = createRoute({
  method: "get",
  path: "/torrents",
  summary: "The catalogue, newest first, or what matches the words of `q`",
  request: {
    query: z.object({
      q: z.string().max(QUERY_CHARACTERS_MAX).default(""),
      page: z.coerce.number().int().min(1).max(PAGE_MAX).default(1),
    }),
  },
  responses: answers(torrentListSchema),
});

const detailRoute = createRoute({
  method: "get",
  path: "/torrents/{id}",
  summary: "One torrent, with its first files",
  request: { params: idParameter },
  responses: answers(torrentDetailSchema),
});

const filesRoute = createRoute({
  method: "get",
  path: "/torrents/{id}/files",
  summary: "More files of a torrent",
  request: {
    params: idParameter,
    query: z.object({ offset: z.coerce.number().int().min(0).default(0) }),
  },
  responses: answers(torrentFilesSchema),
});

const peersRoute = createRoute({
  method: "get",
  path: "/torrents/{id}/peers",
  summary: "The peers that are connected to the everseed: over what, where from, how fast",
  request: { params: idParameter },
  responses: answers(peerListSchema),
  middleware: [requires("hub.administer")] as const,
});

const liveRoute = createRoute({
  method: "get",
  path: "/torrents/{id}/live",
  summary: "Server-sent events `figures`, at most one a second: SwarmFigures as they change",
  request: { params: idParameter },
  responses: {
    200: {
      description: "A stream of events.",
      content: { "text/event-stream": { schema: z.string() } },
    },
  },
});

const changeRoute = createRoute({
  method: "patch",
  path: "/torrents/{id}",
  summary: "Change title and description of a torrent",
  request: { params: idParameter, ...takes(torrentChangeSchema) },
  responses: answers(torrentDetailSchema),
  middleware: [requires("torrent.publish"), limitBody(CHANGE_BYTES_MAX)] as const,
});

const removeRoute = createRoute({
  method: "delete",
  path: "/torrents/{id}",
  summary: "Take a torrent back; it can come back for seven days, then its bytes go",
  request: { params: idParameter },
  responses: answers(removalSchema),
  middleware: [requires("torrent.publish")] as const,
});

const restoreRoute = createRoute({
  method: "post",
  path: "/torrents/{id}/restore",
  summary: "Bring a removed torrent back",
  request: { params: idParameter },
  responses: answers(torrentDetailSchema),
  middleware: [requires("torrent.publish")] as const,
});

const versionRoute = createRoute({
  method: "post",
  path: "/torrents/{id}/version",
  summary: "Make a torrent the newest version of a publication, whose key finds it in the DHT",
  request: { params: idParameter, ...takes(versionInputSchema) },
  responses: answers(torrentDetailSchema),
  middleware: [requires("torrent.publish"), limitBody(VERSION_BYTES_MAX)] as const,
});

/** The published torrents, for programs. */
export function torrentRoutes(parts: HubParts, live: LiveFigures): ApiApp {
  const { catalogue, publications } = parts;
  return createApiApp()
    .openapi(changeRoute, async (c) => {
      const listing = await changeable(c.req.valid("param").id, c.var.actor);
      const { name = listing.name, comment = listing.comment } = c.req.valid("json");
      await publications.edit(listing.id, { name, comment: comment || null });
      return c.json(await detailOf(listing.id, c.var), 200);
    })
    .openapi(removeRoute, async (c) => {
      const { actor } = c.var;
      const listing = await changeable(c.req.valid("param").id, actor);
      const by = demand(actor, "torrent.change", { ownerId: listing.publisherId });
      const removal = await publications.remove(listing.id, by.id);
      live.end(listing.id);
      parts.downloads.stop(listing.id);
      return c.json(removalView(removal), 200);
    })
    .openapi(restoreRoute, async (c) => {
      const { id } = c.req.valid("param");
      const removal = await publications.findRemoved(id);
      if (!removal) throw notFound("removed torrent");
      demand(c.var.actor, "torrent.change", { ownerId: removal.publisherId });
      if (removal.undoUntilMs === null) throw await absent(parts, id, "torrent");
      await publications.restore(removal.id);
      return c.json(await detailOf(removal.id, c.var), 200);
    })
    .openapi(versionRoute, async (c) => {
      const listing = await changeable(c.req.valid("param").id, c.var.actor);
      await parts.versions.accept(listing.id, versionItem(c.req.valid("json")));
      return c.json(await detailOf(listing.id, c.var), 200);
    })
    .openapi(listRoute, async (c) => {
      const { q, page } = c.req.valid("query");
      return c.json(await new Views(parts, c.var).list(q, page), 200);
    })
    .openapi(detailRoute, async (c) => {
      return c.json(await detailOf(c.req.valid("param").id, c.var), 200);
    })
    .openapi(filesRoute, async (c) => {
      const listing = await catalogue.find(c.req.valid("param").id);
      if (!listing) throw await absent(parts, c.req.valid("param").id, "torrent");
      const { offset } = c.req.valid("query");
      const files = await catalogue.files(listing.id, c.var.work);
      if (!files) throw torrentFileLost();
      const shown = files.slice(offset, FILES_PER_PAGE);
      const damaged = await new Views(parts, c.var).damagedFiles(listing);
      return c.json(
        {
          total: files.count,
          offset,
          files: shown.map((file) => fileEntry(listing.id, file, damaged)),
        },
        200,
      );
    })
    .openapi(peersRoute, async (c) => {
      const listing = await catalogue.find(c.req.valid("param").id);
      if (!listing) throw await absent(parts, c.req.valid("param").id, "torrent");
      return c.json(new Views(parts, c.var).peers(listing), 200);
    })
    .openapi(liveRoute, async (c) => {
      const listing = await catalogue.find(c.req.valid("param").id);
      if (!listing) throw await absent(parts, c.req.valid("param").id, "torrent");
      const views = new Views(parts, c.var);
      const response = live.open(listing.id, c.env, () => views.figures(listing, true));
      if (response) return response;
      throw new RefusedError({
        status: 503,
        code: "busy",
        message: "Too many live views are open.",
        retryAfter: 30,
      });
    });

  async function changeable(id: string, actor: Actor): Promise<Listing> {
    const listing = await catalogue.find(id);
    if (!listing) throw await absent(parts, id, "torrent");
    demand(actor, "torrent.change", { ownerId: listing.publisherId });
    return listing;
  }

  async function detailOf(
    id: string,
    request: { readonly origin: string; readonly work: Workers },
  ): Promise<TorrentDetail> {
    const listing = await catalogue.find(id);
    if (!listing) throw await absent(parts, id, "torrent");
    const detail = await new Views(parts, request).detail(listing);
    if (!detail) throw torrentFileLost();
    return detail;
  }
}
