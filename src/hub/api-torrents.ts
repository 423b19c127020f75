import { createRoute, z } from "@hono/zod-openapi";
import {
  FILES_PER_PAGE,
  torrentDetailSchema,
  torrentFilesSchema,
  torrentListSchema,
} from "../api/torrents.ts";
import { answers, createApiApp, type ApiApp } from "./api-app.ts";
import type { HubParts } from "./hub-parts.ts";
import type { LiveFigures } from "./live-figures.ts";
import { notFound, RefusedError, torrentFileLost } from "./problems.ts";
import { fileEntry, Views } from "./views.ts";

/** Pages further back than this are looked for, not turned to. */
const PAGE_MAX = 100_000;
const QUERY_CHARACTERS_MAX = 200;

const idParameter = z.object({ id: z.string().max(32) });

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

/** What is published, for programs. */
export function torrentRoutes(parts: HubParts, live: LiveFigures): ApiApp {
  const { catalogue } = parts;
  return createApiApp()
    .openapi(listRoute, async (c) => {
      const { q, page } = c.req.valid("query");
      return c.json(await new Views(parts, c.var.origin).list(q, page), 200);
    })
    .openapi(detailRoute, async (c) => {
      const listing = await catalogue.find(c.req.valid("param").id);
      if (!listing) throw notFound("torrent");
      const detail = await new Views(parts, c.var.origin).detail(listing);
      if (!detail) throw torrentFileLost();
      return c.json(detail, 200);
    })
    .openapi(filesRoute, async (c) => {
      const listing = await catalogue.find(c.req.valid("param").id);
      if (!listing) throw notFound("torrent");
      const { offset } = c.req.valid("query");
      const files = await catalogue.files(listing.id);
      const shown = files.slice(offset, offset + FILES_PER_PAGE);
      const damaged = await new Views(parts, c.var.origin).damagedFiles(listing);
      return c.json(
        {
          total: files.length,
          offset,
          files: shown.map((file) => fileEntry(listing.id, file, damaged)),
        },
        200,
      );
    })
    .openapi(liveRoute, async (c) => {
      const listing = await catalogue.find(c.req.valid("param").id);
      if (!listing) throw notFound("torrent");
      const views = new Views(parts, c.var.origin);
      const response = live.open(listing.id, c.env.remoteAddress, () => views.figures(listing));
      if (response) return response;
      throw new RefusedError({
        status: 503,
        code: "busy",
        message: "Too many live views are open.",
        retryAfter: 30,
      });
    });
}
