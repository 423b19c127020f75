import type { Context } from "hono";
import { can } from "../accounts/permissions.ts";
import type { MessagePage, PageFrame, PageModel } from "../api/pages.ts";
import { decodeUtf8 } from "../base/bytes.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import type { Refusal } from "./problems.ts";
import { onePageWithStyle } from "./security-headers.ts";
import { userView } from "./views.ts";

/** Renders models into whole documents, with the frame for the current user. */
export class PageFrames {
  readonly #parts: HubParts;

  constructor(parts: HubParts) {
    this.#parts = parts;
  }

  async respond(c: Context<HubEnv>, model: PageModel, status = 200): Promise<Response> {
    const renderer = await this.#parts.renderer();
    const { token, cookies } = this.#formToken(c, model);
    const frame = await this.#frame(c, token);
    const html = await c.var.work.once(async () => renderer.render({ frame, model }));
    const headers = new Headers({
      "content-type": "text/html; charset=utf-8",
      // Pages show live figures and, for signed-in people, their own things: they must be requested again each time.
      "cache-control": token === "" ? "no-cache" : "private, no-store",
      vary: "cookie",
    });
    for (const cookie of cookies) headers.append("set-cookie", cookie);
    return new Response(html, { status, headers });
  }

  /** An error page. */
  async respondRefusal(c: Context<HubEnv>, refusal: Refusal): Promise<Response> {
    const response = await this.respond(c, messagePage(refusal), refusal.status);
    if (refusal.retryAfter !== undefined) {
      response.headers.set("retry-after", String(refusal.retryAfter));
    }
    return response;
  }

  /**
   * A page for requests refused before the user is known, perhaps under a foreign host name: it says nothing about
   * this hub, repeats nothing from the request, and needs no second request, which would be refused too.
   */
  async respondUnasked(refusal: Refusal): Promise<Response> {
    const { assets, pageAssets, renderer } = this.#parts;
    const sheets = pageAssets.styles.flatMap((path) => assets.get(path)?.bytes ?? []);
    const style = sheets.map((bytes) => decodeUtf8(bytes)).join("\n");
    const html = await (
      await renderer()
    ).render({ frame: BARE_FRAME, model: messagePage(refusal) });
    return new Response(
      html.replace("</head>", () => `<style>${style}</style></head>`),
      {
        status: refusal.status,
        headers: {
          "content-type": "text/html; charset=utf-8",
          "content-security-policy": onePageWithStyle(style),
          "cache-control": "no-store",
        },
      },
    );
  }

  /** Pages that strangers only read are the same for all of them: they have no form and set no cookie. */
  #formToken(
    c: Context<HubEnv>,
    { kind }: PageModel,
  ): { readonly token: string; readonly cookies: readonly string[] } {
    const { actor, credentials } = c.var;
    const hasForm = actor.kind === "user" || kind === "login" || kind === "setup";
    if (!hasForm) return { token: "", cookies: [] };
    return this.#parts.accounts.forms.issue(actor, credentials.cookie);
  }

  async #frame(c: Context<HubEnv>, formToken: string): Promise<PageFrame> {
    const { site, catalogue, accounts, pageAssets, control } = this.#parts;
    const url = new URL(c.req.url);
    const path = url.pathname + url.search;
    return {
      siteName: site.name(),
      version: site.version,
      user: userView(c.var.actor),
      path,
      url: c.var.origin + path,
      mayPublish: can(c.var.actor, "torrent.publish"),
      mayAdminister: can(c.var.actor, "hub.administer"),
      mayTransfer: control.transfers !== undefined && can(c.var.actor, "hub.administer"),
      totals: accounts.setupOpen ? null : await catalogue.totals(),
      formToken,
      assets: pageAssets,
    };
  }
}

const BARE_FRAME: PageFrame = {
  siteName: "Everseed",
  version: "",
  user: null,
  path: "/",
  url: "/",
  mayPublish: false,
  mayAdminister: false,
  mayTransfer: false,
  totals: null,
  formToken: "",
  assets: { scripts: [], ownScripts: {}, styles: [] },
};

const TITLES: Readonly<Record<number, string>> = {
  400: "That did not make sense",
  401: "Sign in first",
  403: "Not allowed",
  404: "Nothing here",
  410: "Removed",
  413: "Too large",
  415: "Not in this form",
  421: "Not this hub",
  429: "Too fast",
  503: "Busy",
  507: "The disk is full",
};

function messagePage(refusal: Refusal): MessagePage {
  return {
    kind: "message",
    status: refusal.status,
    title: TITLES[refusal.status] ?? "Something went wrong",
    text: refusal.message,
    hint: refusal.hint ?? null,
    errorId: refusal.id ?? null,
    search: refusal.status === 404,
  };
}
