import { createRoute } from "@hono/zod-openapi";
import type { ProblemCode } from "../api/problem.ts";
import { reachChangeSchema, reachSchema } from "../api/reach.ts";
import {
  answers,
  type ApiApp,
  createApiApp,
  demand,
  limitBody,
  requires,
  takes,
} from "./api-app.ts";
import type { HubParts, ReachRefusal } from "./hub-parts.ts";
import { RefusedError } from "./problems.ts";
import { SMALL_BODY_BYTES } from "./request-body.ts";

const viewRoute = createRoute({
  method: "get",
  path: "/reach",
  summary: "How peers find and reach this hub, and the settings of it",
  responses: answers(reachSchema),
  middleware: [requires("hub.administer")] as const,
});

const changeRoute = createRoute({
  method: "patch",
  path: "/reach",
  summary: "Change settings of how peers find and reach this hub; null takes the default again",
  request: takes(reachChangeSchema),
  responses: answers(reachSchema),
  middleware: [requires("hub.administer"), limitBody(SMALL_BODY_BYTES)] as const,
});

/** How the hub is found and reached, for programs of its administrators. */
export function reachRoutes({ reach }: HubParts): ApiApp {
  return createApiApp()
    .openapi(viewRoute, (c) => c.json(reach.view(), 200))
    .openapi(changeRoute, async (c) => {
      demand(c.var.actor, "hub.administer");
      const refusal = await reach.change(c.req.valid("json"));
      if (refusal) throw refused(refusal);
      return c.json(reach.view(), 200);
    });
}

const STATUSES: Readonly<
  Record<ReachRefusal["kind"], readonly [status: number, code: ProblemCode]>
> = {
  unknown: [404, "not_found"],
  "set-elsewhere": [409, "conflict"],
  "bad-value": [400, "bad_request"],
};

function refused({ kind, message }: ReachRefusal): RefusedError {
  const [status, code] = STATUSES[kind];
  return new RefusedError({ status, code, message });
}
