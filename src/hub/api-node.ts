import { createRoute } from "@hono/zod-openapi";
import { nodeStatusSchema } from "../api/node.ts";
import { answers, type ApiApp, createApiApp, requires } from "./api-app.ts";
import type { ControlParts } from "./control-parts.ts";

const nodeRoute = createRoute({
  method: "get",
  path: "/node",
  summary: "Which program answers here, its ports and its services",
  responses: answers(nodeStatusSchema),
  middleware: [requires("hub.administer")] as const,
});

export function nodeRoutes({ node }: Pick<ControlParts, "node">): ApiApp {
  return createApiApp().openapi(nodeRoute, (c) => c.json(node(), 200));
}
