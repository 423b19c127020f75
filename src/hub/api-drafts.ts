import { createRoute } from "@hono/zod-openapi";
import {
  type DeclaredDraft,
  declaredDraftSchema,
  draftInputSchema,
  draftListSchema,
  type DraftPieces,
  draftPiecesSchema,
  draftSchema,
  type KnownContent,
  knownContentSchema,
  knownInputSchema,
} from "../api/drafts.ts";
import type { Actor } from "../accounts/permissions.ts";
import type { Draft } from "../publish/publisher.ts";
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
import { readDeclaration, readKnownInput } from "./declaration.ts";
import { notFound } from "./problems.ts";
import { jsonText } from "./request-body.ts";
import { draftIdOf } from "./tus-path.ts";
import type { JudgeFault } from "./tus-upload.ts";
import { Views } from "./views.ts";

/** Enough for 200,000 files with paths of some length. */
const DECLARATION_BYTES_MAX = 32 * 1024 * 1024;

/** Enough for the characters that the schema allows, and the JSON around them. */
const PIECES_BYTES_MAX = 7_000_000;
/** The same plus 10,000 files. */
const KNOWN_BYTES_MAX = 12_000_000;

const declareRoute = createRoute({
  method: "post",
  path: "/drafts",
  summary: "Declare an upload, or find the unfinished one with the same declaration again",
  request: takes(draftInputSchema),
  responses: answers(declaredDraftSchema, 201),
});

const listRoute = createRoute({
  method: "get",
  path: "/drafts",
  summary: "One's own unfinished uploads",
  responses: answers(draftListSchema),
});

const findRoute = createRoute({
  method: "get",
  path: "/drafts/{id}",
  summary: "How far an upload got; the torrent, once it is published",
  request: { params: idParameter },
  responses: answers(draftSchema),
});

const piecesRoute = createRoute({
  method: "post",
  path: "/drafts/{id}/pieces",
  summary: "Say what the pieces hash to: an upload of what is here already ends at once",
  request: { params: idParameter, ...takes(draftPiecesSchema) },
  responses: answers(draftSchema),
  middleware: [requires("torrent.publish"), limitBody(PIECES_BYTES_MAX)] as const,
});

const knownRoute = createRoute({
  method: "post",
  path: "/drafts/known",
  summary: "Ask by the hashes of its pieces whether content is here, without an upload",
  request: takes(knownInputSchema),
  responses: answers(knownContentSchema),
});

const discardRoute = createRoute({
  method: "delete",
  path: "/drafts/{id}",
  summary: "Give an unfinished upload up",
  request: { params: idParameter },
  responses: GONE,
});

function hashesOf({ v1, v2 }: DraftPieces): { v1?: Uint8Array; v2?: Uint8Array } {
  return {
    ...(v1 !== undefined && { v1: Uint8Array.fromBase64(v1) }),
    ...(v2 !== undefined && { v2: Uint8Array.fromBase64(v2) }),
  };
}

/** Publishing, for programs and for our own pages. */
export function draftRoutes(parts: HubParts, judgeFault: JudgeFault): ApiApp {
  const { publisher } = parts;
  const app = createApiApp()
    .openapi(listRoute, async (c) => {
      const actor = demand(c.var.actor, "torrent.publish");
      const views = new Views(parts, c.var);
      const drafts = await publisher.listOpen(actor.id);
      return c.json({ drafts: await Promise.all(drafts.map((draft) => views.draft(draft))) }, 200);
    })
    .openapi(findRoute, async (c) => {
      const draft = await own(c.req.valid("param").id, c.var.actor);
      return c.json(await new Views(parts, c.var).draft(draft), 200);
    })
    .openapi(piecesRoute, async (c) => {
      const { id } = await own(c.req.valid("param").id, c.var.actor);
      const draft = await publisher.recognise(id, hashesOf(c.req.valid("json")));
      return c.json(await new Views(parts, c.var).draft(draft), 200);
    })
    .openapi(discardRoute, async (c) => {
      const draft = await own(c.req.valid("param").id, c.var.actor);
      if (draft.state === "published") throw notFound("unfinished upload");
      await publisher.discard(draft.id);
      return c.body(null, 204);
    });
  // Parsed by our own code, in steps: a declaration may have 200,000 files.
  app.openAPIRegistry.registerPath(declareRoute);
  app.post(
    declareRoute.path,
    requires("torrent.publish"),
    limitBody(DECLARATION_BYTES_MAX),
    async (c) => {
      const actor = demand(c.var.actor, "torrent.publish");
      const { work } = c.var;
      const declaration = await work.run(readDeclaration(await jsonText(c.req.raw)));
      const declared = await publisher.declare(actor.id, declaration, work);
      const draft = await new Views(parts, c.var).draft(declared.draft);
      const { order, renamed, resumed } = declared;
      const answer: DeclaredDraft = { ...draft, order: [...order], renamed: [...renamed], resumed };
      return work.once(() => c.json(answer, 201));
    },
  );
  app.openAPIRegistry.registerPath(knownRoute);
  app.post(knownRoute.path, requires("torrent.publish"), limitBody(KNOWN_BYTES_MAX), async (c) => {
    const { work } = c.var;
    const { declaration, pieces } = await work.run(readKnownInput(await jsonText(c.req.raw)));
    const id = await publisher.findKnown(declaration, hashesOf(pieces), work);
    const listing = id === undefined ? undefined : await parts.catalogue.find(id);
    const known: KnownContent = {
      torrent: listing ? new Views(parts, c.var).summary(listing) : null,
    };
    return c.json(known, 200);
  });
  let tus: ((request: Request) => Promise<Response>) | undefined;
  // hono routes HEAD like GET; the request itself still says HEAD.
  app.on(["GET", "PATCH", "DELETE", "OPTIONS"], "/drafts/:id/content", async (c) => {
    const id = draftIdOf(new URL(c.req.url).pathname);
    if (id === undefined || c.req.method === "GET") throw notFound("upload");
    if (c.req.method !== "OPTIONS") await own(id, c.var.actor);
    // Loaded with the first upload: most hubs see none for a while after a start.
    tus ??= (await import("./tus-upload.ts")).tusUploads(publisher, judgeFault);
    return tus(c.req.raw);
  });
  return app;

  function own(id: string, actor: Actor): Promise<Draft> {
    return findChangeable(actor, "draft.change", "upload", () => publisher.find(id));
  }
}
