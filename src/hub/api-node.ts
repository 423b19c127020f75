import { createRoute } from "@hono/zod-openapi";
import { nodeStatusSchema, settingsReloadSchema } from "../api/node.ts";
import { answers, type ApiApp, createApiApp, requires } from "./api-app.ts";
import type { ControlParts } from "./control-parts.ts";
import { RefusedError } from "./problems.ts";

const nodeRoute = createRoute({
  method: "get",
  path: "/node",
  summary: "Which program answers here, its ports and its services",
  responses: answers(nodeStatusSchema),
  middleware: [requires("hub.administer")] as const,
});

const reloadRoute = createRoute({
  method: "post",
  path: "/node/reload",
  summary: "Read the configuration file again: what can change at once does",
  responses: answers(settingsReloadSchema),
  middleware: [requires("hub.administer")] as const,
});

export function nodeRoutes({ node, reload }: Pick<ControlParts, "node" | "reload">): ApiApp {
  return createApiApp()
    .openapi(nodeRoute, (c) => c.json(node(), 200))
    .openapi(reloadRoute, async (c) => {
      const outcome = await reload();
      if ("refused" in outcome) {
        const { refused: message, hint } = outcome;
        throw new RefusedError({ status: 409, code: "conflict", message, hint });
      }
      return c.json(outcome, 200);
    });
}
