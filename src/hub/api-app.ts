import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { can, type Action, type Actor, type Owned } from "../accounts/permissions.ts";
import { issueWords } from "../api/issue-words.ts";
import { problemSchema } from "../api/problem.ts";
import type { HubEnv } from "./hub-parts.ts";
import { notAllowed, notFound, type RefusedError } from "./problems.ts";
import { badBody, bodyTooLong } from "./request-body.ts";

export type ApiApp = OpenAPIHono<HubEnv>;

/** An app whose requests are checked against their schemas before a route sees them. */
export function createApiApp(): ApiApp {
  return new OpenAPIHono<HubEnv>({
    defaultHook: (result) => {
      if (!result.success) throw firstIssue(result.error);
    },
  });
}

/** @param at - The place of the judged value in the request. */
export function firstIssue(error: z.ZodError, at: readonly (string | number)[] = []): RefusedError {
  return badBody(issueWords(error, at));
}

/** The id of a torrent, or of an upload or a fetch. */
export const idParameter = z.object({ id: z.string().max(32) });

/** The answer to giving something up. */
export const GONE = { 204: { description: "Gone." } } as const;

/** Refuses bodies over the limit, before or while they are read (HUB-8). */
export function limitBody(bytesMax: number): MiddlewareHandler<HubEnv> {
  return bodyLimit({
    maxSize: bytesMax,
    onError: () => {
      throw bodyTooLong(bytesMax);
    },
  });
}

/** Checks permission before the body is read: strangers must not make us parse megabytes (HUB-8). */
export function requires(action: Action): MiddlewareHandler<HubEnv> {
  return async (c, next) => {
    demand(c.var.actor, action);
    await next();
  };
}

/** The answers of a route, for the OpenAPI document. */
export function answers(schema: z.ZodType, status: 200 | 201 = 200) {
  return {
    [status]: { description: "Done.", content: { "application/json": { schema } } },
    default: {
      description: "Refused; the code says why.",
      content: { "application/json": { schema: problemSchema } },
    },
  };
}

/** The body that a route takes. */
export function takes<S extends z.ZodType>(schema: S) {
  return { body: { required: true, content: { "application/json": { schema } } } } as const;
}

type SignedIn = Actor & { kind: "user" };

/** Checks permission. @throws {RefusedError} 401 for a stranger, 403 for anybody else. */
export function demand(actor: Actor, action: Action, object?: Owned): SignedIn {
  if (actor.kind === "stranger" || !can(actor, action, object)) {
    throw notAllowed(actor.kind === "user");
  }
  return actor;
}

/**
 * Finds an upload or a fetch that is in progress. For people who may not change it, it does not exist.
 *
 * @throws {RefusedError} (rejects) 401, 403 for people who may not publish; otherwise 404.
 */
export async function findChangeable<Thing extends Owned>(
  actor: Actor,
  action: Action,
  what: string,
  find: () => Promise<Thing | undefined>,
): Promise<Thing> {
  demand(actor, "torrent.publish");
  const found = await find();
  if (!found || !can(actor, action, found)) throw notFound(what);
  return found;
}
