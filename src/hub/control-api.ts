import { OpenAPIHono } from "@hono/zod-openapi";
import { SOCKET_OWNER } from "../accounts/permissions.ts";
import { API_PREFIX } from "../api/paths.ts";
import type { Clock } from "../ports/clock.ts";
import type { RequestContext } from "../ports/web.ts";
import type { Turns } from "../publish/turns.ts";
import type { ControlParts } from "./control-parts.ts";
import { controlRoutes } from "./control-routes.ts";
import { COMPRESSED, type FailureParts, refusalOf } from "./failures.ts";
import type { HubEnv } from "./hub-parts.ts";
import { problemResponse, type Refusal } from "./problems.ts";
import { answerTransmission, isTransmissionPath, type RpcHandler } from "./transmission-route.ts";
import { WorkBudget } from "./work-budget.ts";

/**
 * The control API on the socket: JSON alone, no pages, no accounts. The system lets nobody but the node's user open the
 * socket, so each caller is its owner.
 */
export class ControlApi {
  readonly #failures: FailureParts;
  readonly #transmission: RpcHandler | undefined;
  readonly #app: OpenAPIHono<HubEnv>;

  constructor(
    parts: ControlParts & FailureParts & { readonly clock: Clock; readonly turns: Turns },
  ) {
    this.#failures = parts;
    this.#transmission = parts.transmission;
    const budget = new WorkBudget(parts.clock, parts.turns);
    const app = new OpenAPIHono<HubEnv>();
    app.onError((error, c) => problemResponse(refusalOf(error, c.req.path, parts)));
    app.notFound(() => problemResponse(NO_ROUTE));
    app.use(async (c, next) => {
      if ((c.req.header("content-encoding") ?? "identity") !== "identity") {
        return problemResponse(COMPRESSED);
      }
      c.set("actor", SOCKET_OWNER);
      c.set("credentials", { cookie: null, authorization: null, userAgent: null, address: "" });
      c.set("work", budget.open("", true));
      c.set("origin", "http://localhost");
      await next();
      return undefined;
    });
    app.route(API_PREFIX, controlRoutes(parts));
    this.#app = app;
  }

  /** Answers one request. Never rejects. */
  async handle(request: Request, context: RequestContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    try {
      if (this.#transmission && isTransmissionPath(pathname)) {
        return await answerTransmission(this.#transmission, request);
      }
      return await this.#app.fetch(request, context);
    } catch (error) {
      return problemResponse(refusalOf(error, pathname, this.#failures));
    }
  }
}

const NO_ROUTE: Refusal = {
  status: 404,
  code: "not_found",
  message: "The control API has no such route.",
};
