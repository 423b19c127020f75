import { createRoute } from "@hono/zod-openapi";
import { hubStatusSchema } from "../api/hub-status.ts";
import { answers, type ApiApp, createApiApp, requires } from "./api-app.ts";
import type { HubParts } from "./hub-parts.ts";

const statusRoute = createRoute({
  method: "get",
  path: "/status",
  summary: "What this hub is doing",
  responses: answers(hubStatusSchema),
  middleware: [requires("hub.administer")] as const,
});

/** The figures of the whole hub, for programs of its administrators. */
export function statusRoutes({ site, catalogue, activity }: HubParts): ApiApp {
  return createApiApp().openapi(statusRoute, async (c) => {
    const { torrents, bytes } = await catalogue.totals();
    const { version, url, dataFolder } = site;
    const freeBytes = await site.freeBytes();
    const figures = { version, url, dataFolder, freeBytes, torrents, bytes };
    return c.json({ ...figures, ...activity() }, 200);
  });
}
