import { createRoute, z } from "@hono/zod-openapi";
import {
  speedGraphSchema,
  speedSpanSchema,
  transferLogSchema,
  transferPiecesSchema,
} from "../api/transfers.ts";
import { encodeUtf8, toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import { isoTime } from "../base/iso-time.ts";
import type { SpeedGraph } from "../transfers/speed-history.ts";
import { answers, type ApiApp, createApiApp, requires } from "./api-app.ts";
import type { TransferParts } from "./control-parts.ts";
import { demandTransfers } from "./demand-transfers.ts";
import { transferLogView, transferPiecesView } from "./transfer-views.ts";

const params = z.object({ id: z.string().min(1).max(1_000) });
const query = z.object({ span: speedSpanSchema.default("5m") });
const owner = requires("hub.administer");

const allSpeedRoute = createRoute({
  method: "get",
  path: "/transfers/speed",
  summary: "How fast all of them were; the day outlives a restart",
  request: { query },
  responses: answers(speedGraphSchema),
  middleware: [owner] as const,
});

const speedRoute = createRoute({
  method: "get",
  path: "/transfers/{id}/speed",
  summary: "How fast it was since the start of the node",
  request: { params, query },
  responses: answers(speedGraphSchema),
  middleware: [owner] as const,
});

const piecesRoute = createRoute({
  method: "get",
  path: "/transfers/{id}/pieces",
  summary:
    "Which pieces are here, and how many copies its peers have; 304 for an `If-None-Match` of the same",
  request: { params },
  responses: { ...answers(transferPiecesSchema), 304: { description: "They are the same." } },
  middleware: [owner] as const,
});

const logRoute = createRoute({
  method: "get",
  path: "/transfers/{id}/log",
  summary: "What happened to it since the start of the node, the newest first",
  request: { params },
  responses: answers(transferLogSchema),
  middleware: [owner] as const,
});

/** What was and is inside of a transfer: its speeds, its pieces, its log. */
export function transferHistoryRoutes(parts: TransferParts | undefined): ApiApp {
  return createApiApp()
    .openapi(allSpeedRoute, (c) => {
      const { service } = demandTransfers(parts);
      return c.json(speedView(service.details.speed(c.req.valid("query").span)), 200);
    })
    .openapi(speedRoute, async (c) => {
      const { service } = demandTransfers(parts);
      const { id } = await service.resolve(c.req.valid("param").id);
      return c.json(speedView(service.details.speed(c.req.valid("query").span, id)), 200);
    })
    .openapi(piecesRoute, async (c) => {
      const { service } = demandTransfers(parts);
      const { id } = await service.resolve(c.req.valid("param").id);
      const view = transferPiecesView(await service.details.pieces(id));
      const etag = `"${toHex(sha256(encodeUtf8(JSON.stringify(view))).subarray(0, 12))}"`;
      if (c.req.header("if-none-match") === etag) return c.body(null, 304, { etag });
      return c.json(view, 200, { etag });
    })
    .openapi(logRoute, async (c) => {
      const { service } = demandTransfers(parts);
      const { id } = await service.resolve(c.req.valid("param").id);
      return c.json(transferLogView(await service.details.log(id)), 200);
    });
}

function speedView({ slotMs, endMs, down, up }: SpeedGraph): z.infer<typeof speedGraphSchema> {
  return { slotSeconds: slotMs / 1_000, endsAt: isoTime(endMs), down: [...down], up: [...up] };
}
