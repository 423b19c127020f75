import { nodeRoutes } from "./api-node.ts";
import { transferContentRoutes } from "./api-transfer-content.ts";
import { transferHistoryRoutes } from "./api-transfer-history.ts";
import { transferRoutes } from "./api-transfers.ts";
import { type ApiApp, createApiApp } from "./api-app.ts";
import type { ControlParts } from "./control-parts.ts";

/**
 * The routes that a node and a hub have in common, below `/api/v1`. They are registered twice: on the control socket, where
 * the caller is the owner (`control-api.ts`), and on the web port, where the accounts decide (`hub.ts`). Each route
 * demands its permission by `requires` or `demand`, and so knows no difference.
 */
export function controlRoutes(parts: ControlParts): ApiApp {
  const app = createApiApp();
  app.route("/", nodeRoutes(parts));
  // Before the routes of one transfer: `speed` is no id.
  app.route("/", transferHistoryRoutes(parts.transfers));
  app.route("/", transferRoutes(parts.transfers));
  app.route("/", transferContentRoutes(parts.transfers));
  return app;
}
