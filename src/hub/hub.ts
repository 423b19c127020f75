import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Credentials } from "../accounts/accounts.ts";
import type { Actor } from "../accounts/permissions.ts";
import { FORM_TOKEN_FIELD } from "../api/pages.ts";
import { API_PREFIX } from "../api/paths.ts";
import { accountRoutes } from "./api-accounts.ts";
import { draftRoutes } from "./api-drafts.ts";
import { reachRoutes } from "./api-reach.ts";
import { controlRoutes } from "./control-routes.ts";
import { connectionsPages } from "./connections-pages.ts";
import { fetchRoutes } from "./api-fetches.ts";
import { statusRoutes } from "./api-status.ts";
import { torrentRoutes } from "./api-torrents.ts";
import { assetResponse } from "./assets.ts";
import { COMPRESSED, refusalOf } from "./failures.ts";
import { downloadRoutes } from "./download-routes.ts";
import { fetchForms } from "./fetch-forms.ts";
import { formRoutes } from "./form-routes.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import { LiveFigures } from "./live-figures.ts";
import { isStrangersPage, PageCache, strangersRequest } from "./page-cache.ts";
import { PageFrames } from "./page-frame.ts";
import { pageRoutes, setupPage } from "./page-routes.ts";
import { OverloadError, problemResponse, type Refusal } from "./problems.ts";
import { readForm } from "./request-body.ts";
import { isLoopback } from "../base/host-name.ts";
import type { RequestContext } from "../ports/web.ts";
import { isOwnRequest, knowsHost } from "./request-gate.ts";
import { secureHeaders } from "./security-headers.ts";
import { torrentForms } from "./torrent-forms.ts";
import { TorrentPages } from "./torrent-pages.ts";
import { transfersPages } from "./transfers-pages.ts";
import { isTransmissionPath } from "./transmission-route.ts";
import { WorkBudget } from "./work-budget.ts";
import { zipRoutes } from "./zip-routes.ts";

const OPENAPI_PATH = `${API_PREFIX}/openapi.json`;

/** The web site, the API and the web side of the tracker as one function. */
export class Hub {
  readonly #parts: HubParts;
  readonly #live: LiveFigures;
  readonly #frames: PageFrames;
  readonly #cache: PageCache;
  readonly #budget: WorkBudget;
  readonly #app: OpenAPIHono<HubEnv>;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#live = new LiveFigures(parts.clock, parts.faults);
    this.#frames = new PageFrames(parts);
    this.#cache = new PageCache(parts.clock);
    this.#budget = new WorkBudget(parts.clock, parts.turns);
    this.#app = this.#compose();
  }

  /** Answers one request. Never rejects. */
  async handle(request: Request, context: RequestContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    try {
      return await this.#handle(request, pathname, context);
    } catch (error) {
      const response = inWords(pathname, refusalOf(error, pathname, this.#parts));
      secureHeaders(response.headers);
      return response;
    }
  }

  async #handle(request: Request, path: string, context: RequestContext): Promise<Response> {
    const { site } = this.#parts;
    const isOurs = knowsHost(request.headers.get("host"), site.hosts, context.localAddress);
    // These are requested by the million and read by programs, so they go without headers that only browsers need.
    if (isOurs && request.method === "GET") {
      const answer = this.#parts.tracker(request, context);
      if (answer) return answer;
    }
    const { transmissionRoute } = this.#parts;
    if (transmissionRoute && isTransmissionPath(path)) {
      return transmissionRoute.handle(request, context);
    }
    const response = await (isOurs
      ? this.#answer(request, path, context)
      : this.#refuse(request, WRONG_HOST));
    secureHeaders(response.headers);
    return response;
  }

  /** Every route of the API, the pages and the forms; anything without a handler is not found. */
  get routes(): readonly { readonly method: string; readonly path: string }[] {
    return this.#app.routes.filter(({ path }) => !path.endsWith("/*"));
  }

  /** Ends live streams, so that the server can close. */
  close(): void {
    this.#live.close();
  }

  async #answer(request: Request, path: string, context: RequestContext): Promise<Response> {
    const { assets } = this.#parts;
    const asset = assets.get(path);
    if (asset && (request.method === "GET" || request.method === "HEAD")) {
      return assetResponse(asset, request);
    }
    if (this.#parts.accounts.setupOpen || !isStrangersPage(request, path)) {
      return this.#app.fetch(request, context);
    }
    // A page must show what was published just now.
    const { revision } = this.#parts.catalogue;
    return this.#cache.serve(
      `${revision} ${request.headers.get("host")} ${request.url}`,
      async () => this.#app.fetch(strangersRequest(request), context),
    );
  }

  #compose(): OpenAPIHono<HubEnv> {
    const { accounts, site } = this.#parts;
    const app = new OpenAPIHono<HubEnv>();

    app.onError((error, c) => {
      const refusal = refusalOf(error, c.req.path, this.#parts);
      if (error instanceof OverloadError) return inWords(c.req.path, refusal);
      return this.#tell(c, refusal);
    });
    app.notFound((c) => this.#tell(c, NOTHING_HERE));

    app.use(async (c, next) => {
      c.set("origin", site.publicUrl ?? `http://${c.req.header("host")}`);
      c.set("actor", { kind: "stranger" });
      c.set("credentials", credentialsOf(c.req.raw.headers, c.env));
      const { remoteAddress } = c.env;
      c.set("work", this.#budget.open(remoteAddress, isLoopback(remoteAddress)));
      if ((c.req.header("content-encoding") ?? "identity") !== "identity") {
        return this.#refuse(c.req.raw, COMPRESSED);
      }
      const { publicUrl } = site;
      if (!isOwnRequest(c.req.raw, { publicUrl, isApi: isApi(c.req.path) })) {
        return this.#refuse(c.req.raw, CROSS_SITE);
      }
      if (accounts.setupOpen && c.env.unnamedProxy) {
        return this.#refuse(c.req.raw, SETUP_BEHIND_PROXY);
      }
      if (accounts.setupOpen && !isLoopback(c.env.remoteAddress)) {
        if (isApi(c.req.path) || c.req.method !== "GET") {
          return this.#refuse(c.req.raw, SETUP_ELSEWHERE);
        }
        return this.#frames.respond(c, await setupPage(this.#parts, "elsewhere"), 403);
      }
      const { value, cookies } = await accounts.identify(c.var.credentials);
      c.set("actor", value);
      if (value.kind === "user") c.set("work", this.#budget.open(remoteAddress, true));
      const spent = c.var.work.refusal();
      if (spent) return inWords(c.req.path, spent);
      if (!(await this.#isOwnForm(c.req.raw, value))) return this.#refuse(c.req.raw, FOREIGN_FORM);
      if (accounts.setupOpen && !SETUP_PATHS.has(c.req.path)) {
        if (isApi(c.req.path)) return problemResponse(SETUP_NEEDED);
        return c.redirect("/setup", 303);
      }
      await next();
      if (isApi(c.req.path) && !c.res.headers.has("cache-control")) {
        c.res.headers.set("cache-control", "no-store");
      }
      // Unless the route itself has set the session cookie.
      const said = c.res.headers.getSetCookie().some((cookie) => SESSION_COOKIE.test(cookie));
      if (!said) {
        for (const cookie of cookies) c.res.headers.append("set-cookie", cookie);
      }
      return undefined;
    });

    app.route("/", downloadRoutes(this.#parts));
    app.route("/", zipRoutes(this.#parts));
    const torrentPages = new TorrentPages(this.#parts, this.#frames);
    app.route("/", pageRoutes(this.#parts, this.#frames, torrentPages));
    app.route("/", torrentForms(this.#parts, this.#live, torrentPages));
    app.route("/", formRoutes(this.#parts, this.#frames));
    app.route("/", fetchForms(this.#parts, this.#frames));
    app.route("/", connectionsPages(this.#parts, this.#frames));
    app.route("/", transfersPages(this.#parts.control.transfers, this.#frames));
    app.route(API_PREFIX, torrentRoutes(this.#parts, this.#live));
    app.route(
      API_PREFIX,
      draftRoutes(this.#parts, (error, path) => refusalOf(error, path, this.#parts)),
    );
    app.route(API_PREFIX, fetchRoutes(this.#parts));
    app.route(API_PREFIX, accountRoutes(this.#parts));
    app.route(API_PREFIX, reachRoutes(this.#parts));
    app.route(API_PREFIX, statusRoutes(this.#parts));
    app.route(API_PREFIX, controlRoutes(this.#parts.control));
    app.doc31(OPENAPI_PATH, {
      openapi: "3.1.0",
      info: {
        title: "Everseed hub",
        version: site.version,
        description:
          "Publish, look up and follow torrents. Programs send an API token: " +
          "`Authorization: Bearer TOKEN`. Uploads follow tus 1.0.0.",
      },
    });
    return app;
  }

  /** True unless a browser sends a form that none of our pages issued (HUB-4). */
  async #isOwnForm(request: Request, actor: Actor): Promise<boolean> {
    const { headers } = request;
    if (request.method !== "POST" || isApi(new URL(request.url).pathname)) return true;
    const cookie = headers.get("cookie");
    // A program: browsers send an origin with every changing request.
    if (cookie === null && headers.get("origin") === null) return true;
    const form = await readForm(request);
    return this.#parts.accounts.forms.accepts(actor, cookie, form.get(FORM_TOKEN_FIELD) ?? "");
  }

  /** Answers with JSON for the API and a page otherwise; in plain text when the page cannot be rendered either. */
  async #tell(c: Context<HubEnv>, refusal: Refusal): Promise<Response> {
    if (isApi(c.req.path)) return problemResponse(refusal);
    try {
      return await this.#frames.respondRefusal(c, refusal);
    } catch (error) {
      refusalOf(error, c.req.path, this.#parts);
      return inWords(c.req.path, refusal);
    }
  }

  /** Before the user is identified: JSON for the API, a page for browsers, plain text for everybody else. */
  async #refuse(request: Request, refusal: Refusal): Promise<Response> {
    const isPage = !isApi(new URL(request.url).pathname);
    if (isPage && request.headers.get("accept")?.includes("text/html")) {
      return this.#frames.respondUnasked(refusal);
    }
    return inWords(new URL(request.url).pathname, refusal);
  }
}

const SESSION_COOKIE = /^(?:__Secure-)?[a-z]+\.session_token=/;
const SETUP_PATHS: ReadonlySet<string> = new Set(["/setup", `${API_PREFIX}/setup`, OPENAPI_PATH]);

const NOTHING_HERE: Refusal = {
  status: 404,
  code: "not_found",
  message: "There is no such page.",
  hint: "The link may be incomplete, or its target is gone. A search may find it.",
};
const WRONG_HOST: Refusal = {
  status: 421,
  code: "wrong_host",
  message: "This hub does not answer to that host name.",
  hint: "Its owner can add the name to allowedHosts in the configuration.",
};
const CROSS_SITE: Refusal = {
  status: 403,
  code: "cross_site",
  message: "This request came from another site.",
  hint: "Open this hub's own page and do it there.",
};
const FOREIGN_FORM: Refusal = {
  status: 403,
  code: "cross_site",
  message: "This form did not come from a page of this hub, or it is too old.",
  hint: "Go back, load the page again, and send it once more. Cookies have to be allowed.",
};
const SETUP_ELSEWHERE: Refusal = {
  status: 403,
  code: "setup_needed",
  message: "This hub is not set up yet. Setup is open on the terminal of the machine it runs on.",
};
const SETUP_BEHIND_PROXY: Refusal = {
  status: 403,
  code: "setup_needed",
  message:
    "This request came through a proxy that the hub was not told of, so that everybody looks like this machine. " +
    "Setup is closed to it.",
  hint:
    'Write "proxies: [127.0.0.1]" into everseed.yaml and start the hub again. ' +
    "Then open the setup link on the machine itself, not through the proxy.",
};
const SETUP_NEEDED: Refusal = {
  status: 403,
  code: "setup_needed",
  message: "This hub is not set up yet.",
  hint: "Open the setup link that the terminal printed.",
};
/** JSON for the API, otherwise plain text. Cheap, and cannot fail. */
function inWords(path: string, refusal: Refusal): Response {
  if (isApi(path)) return problemResponse(refusal);
  const { status, message, hint, id, retryAfter } = refusal;
  const lines = [message, hint, id === undefined ? undefined : `The number of the error: ${id}`];
  const response = new Response(
    lines.flatMap((line) => (line === undefined ? [] : `${line}\n`)).join(""),
    {
      status,
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
    },
  );
  if (retryAfter !== undefined) response.headers.set("retry-after", String(retryAfter));
  return response;
}

function isApi(path: string): boolean {
  return path.startsWith(`${API_PREFIX}/`);
}

function credentialsOf(headers: Headers, context: RequestContext): Credentials {
  return {
    cookie: headers.get("cookie"),
    authorization: headers.get("authorization"),
    userAgent: headers.get("user-agent"),
    address: context.remoteAddress,
  };
}
