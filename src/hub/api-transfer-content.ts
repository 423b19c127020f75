import { createRoute, z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { transferContentPath } from "../api/paths.ts";
import { mediaLinkSchema } from "../api/transfers.ts";
import { isoTime } from "../base/iso-time.ts";
import type { FileContent } from "../transfers/transfer-contents.ts";
import { answers, type ApiApp, createApiApp, demand, requires } from "./api-app.ts";
import { demandTransfers } from "./demand-transfers.ts";
import { breakOff } from "./break-off.ts";
import type { ByteRange } from "./byte-range.ts";
import type { TransferParts } from "./control-parts.ts";
import { attachment, inline } from "./download-name.ts";
import type { HubEnv } from "./hub-parts.ts";
import { mediaType } from "./media-types.ts";
import { partialAnswer } from "./partial-answer.ts";
import { RefusedError } from "./problems.ts";
import { FOREIGN_POLICY, SHOWN_POLICY } from "./security-headers.ts";

/** Answers under way; the engine has as many readers for one torrent. */
const STREAMS_MAX = 64;

const params = z.object({
  /** The id, its beginning while no other begins so, or the exact name. */
  id: z.string().min(1).max(1_000),
  index: z.coerce.number().int().min(0).max(10_000_000),
});

const linkRoute = createRoute({
  method: "post",
  path: "/transfers/{id}/files/{index}/link",
  summary: "A link to the content of a file for a player, which needs no password; for a day",
  request: { params },
  responses: answers(mediaLinkSchema),
  middleware: [requires("hub.administer")] as const,
});

/** The content of files as streams, with ranges, while they are fetched. */
export function transferContentRoutes(parts: TransferParts | undefined): ApiApp {
  const app = createApiApp();
  let streams = 0;

  /** Who has a link needs nothing else. */
  const mayRead: MiddlewareHandler<HubEnv> = async (c, next) => {
    const { id, index } = { id: c.req.param("id") ?? "", index: c.req.param("index") };
    const token = c.req.query("token");
    const isLinked = token !== undefined && parts?.links.allows(token, id, Number(index)) === true;
    if (!isLinked) demand(c.var.actor, "hub.administer");
    await next();
  };

  const contentRoute = createRoute({
    method: "get",
    path: "/transfers/{id}/files/{index}/content",
    summary:
      "The bytes of a file, also while it is fetched: what is asked for comes first. Takes ranges",
    request: { params, query: z.object({ token: z.string().max(100).optional() }) },
    responses: {
      ...answers(z.never()),
      200: { description: "All of it.", content: BYTES },
      206: { description: "The range that was asked for.", content: BYTES },
      416: { description: "There is no such range." },
    },
    middleware: [mayRead] as const,
  });

  app.openapi(linkRoute, async (c) => {
    const { id, index } = c.req.valid("param");
    const { service, links } = demandTransfers(parts);
    const { id: whole } = await service.resolve(id);
    const { transfer } = await service.contents.open(whole, index);
    const { token, endsAtMs } = links.sign(transfer, index);
    const path = `${transferContentPath(transfer, index)}?token=${token}`;
    return c.json({ path, endsAt: isoTime(endsAtMs) }, 200);
  });

  app.openapi(contentRoute, async (c) => {
    const { id, index } = c.req.valid("param");
    const { service } = demandTransfers(parts);
    const { id: whole } = await service.resolve(id);
    const content = await service.contents.open(whole, index);
    return answer(c, content);
  });

  return app;

  function answer(c: Context<HubEnv>, content: FileContent): Response {
    const asked = partialAnswer(c, {
      size: content.length,
      // Content never changes: the torrent's infohash is that of its bytes.
      etag: `"${content.transfer}-${content.index}"`,
      headers: headersOf(content.name),
    });
    if (asked instanceof Response) return asked;
    const { status, headers, part } = asked;
    const isEmpty = c.req.method === "HEAD" || part.last < part.first;
    return new Response(isEmpty ? null : stream(c, content, part), { status, headers });
  }

  function stream(
    c: Context<HubEnv>,
    content: FileContent,
    { first, last }: ByteRange,
  ): ReadableStream<Uint8Array> {
    if (streams >= STREAMS_MAX) throw new RefusedError(TOO_MANY);
    streams += 1;
    let isOver = false;
    const end = (): void => {
      if (!isOver) streams -= 1;
      isOver = true;
    };
    const stop = new AbortController();
    const chunks = content.read({ begin: first, end: last + 1 }, stop.signal);
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            const next = await chunks.next();
            if (next.done !== true) return controller.enqueue(next.value);
            end();
            controller.close();
          } catch (error) {
            end();
            if (!stop.signal.aborted) breakOff(controller, c.env, error);
          }
        },
        cancel() {
          end();
          // What nobody else needs is no longer asked of peers.
          stop.abort(new Error("the reader has gone"));
        },
      },
      // At most one chunk ahead: a player that pauses holds no memory.
      { highWaterMark: 1 },
    );
  }
}

const BYTES = { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } };

function headersOf(name: string): Headers {
  const type = mediaType(name);
  return new Headers({
    "content-type": type ?? "application/octet-stream",
    "content-disposition": type === undefined ? attachment(name) : inline(name),
    "content-security-policy": type === undefined ? FOREIGN_POLICY : SHOWN_POLICY,
    "x-content-type-options": "nosniff",
    "cache-control": "private, max-age=0, must-revalidate",
  });
}

const TOO_MANY = {
  status: 503,
  code: "busy",
  message: "Too many files of this node are read at once.",
  hint: "Close a player.",
  retryAfter: 5,
} as const;
