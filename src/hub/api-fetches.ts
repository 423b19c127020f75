import { createRoute, z } from "@hono/zod-openapi";
import type { Actor } from "../accounts/permissions.ts";
import { fetchInputSchema, fetchListSchema, fetchSchema } from "../api/fetches.ts";
import { TORRENT_FILE_BYTES_MAX } from "../api/source-limits.ts";
import type { Fetch } from "../publish/fetch-state.ts";
import { takesType } from "./body-type.ts";
import {
  answers,
  type ApiApp,
  createApiApp,
  demand,
  findChangeable,
  GONE,
  idParameter,
  limitBody,
  requires,
  takes,
} from "./api-app.ts";
import type { HubParts } from "./hub-parts.ts";
import { SMALL_BODY_BYTES } from "./request-body.ts";
import { Views } from "./views.ts";

const magnetRoute = createRoute({
  method: "post",
  path: "/fetches",
  summary: "Fetch what a magnet link names from its swarm, and publish it",
  request: takes(fetchInputSchema),
  responses: answers(fetchSchema, 201),
  middleware: [requires("torrent.publish"), limitBody(SMALL_BODY_BYTES)] as const,
});

const fileRoute = createRoute({
  method: "post",
  path: "/fetches/torrent",
  summary: "The same for a .torrent file, which is the body",
  request: {
    body: {
      content: { "application/x-bittorrent": { schema: z.string().meta({ format: "binary" }) } },
    },
  },
  responses: answers(fetchSchema, 201),
  middleware: [
    requires("torrent.publish"),
    takesType("application/x-bittorrent"),
    limitBody(TORRENT_FILE_BYTES_MAX),
  ] as const,
});

const listRoute = createRoute({
  method: "get",
  path: "/fetches",
  summary: "One's own torrents that are on their way or failed",
  responses: answers(fetchListSchema),
});

const findRoute = createRoute({
  method: "get",
  path: "/fetches/{id}",
  summary: "The progress of a fetch, and its torrent once it is published",
  request: { params: idParameter },
  responses: answers(fetchSchema),
});

const cancelRoute = createRoute({
  method: "delete",
  path: "/fetches/{id}",
  summary: "Give a fetch up",
  request: { params: idParameter },
  responses: GONE,
});

/** Publishes torrents from a .torrent file or a magnet link. */
export function fetchRoutes(parts: HubParts): ApiApp {
  const { fetches, catalogue } = parts;
  return createApiApp()
    .openapi(magnetRoute, async (c) => {
      const actor = demand(c.var.actor, "torrent.publish");
      const fetch = await fetches.begin(actor.id, c.req.valid("json").magnet);
      return c.json(await new Views(parts, c.var).fetch(fetch), 201);
    })
    .openapi(fileRoute, async (c) => {
      const actor = demand(c.var.actor, "torrent.publish");
      const fetch = await fetches.begin(actor.id, new Uint8Array(await c.req.arrayBuffer()));
      return c.json(await new Views(parts, c.var).fetch(fetch), 201);
    })
    .openapi(listRoute, async (c) => {
      const actor = demand(c.var.actor, "torrent.publish");
      const views = new Views(parts, c.var);
      const open = await fetches.listOpen(actor.id);
      return c.json({ fetches: await Promise.all(open.map((fetch) => views.fetch(fetch))) }, 200);
    })
    .openapi(findRoute, async (c) => {
      demand(c.var.actor, "torrent.publish");
      const { id } = c.req.valid("param");
      const views = new Views(parts, c.var);
      // A published one is a torrent by now, with the same id.
      const listing = await catalogue.find(id);
      if (listing) return c.json(views.fetchOf(listing), 200);
      return c.json(await views.fetch(await own(id, c.var.actor)), 200);
    })
    .openapi(cancelRoute, async (c) => {
      const fetch = await own(c.req.valid("param").id, c.var.actor);
      await fetches.cancel(fetch.id);
      return c.body(null, 204);
    });

  function own(id: string, actor: Actor): Promise<Fetch> {
    return findChangeable(actor, "torrent.change", "fetch", () => fetches.find(id));
  }
}
