import { type Context, Hono } from "hono";
import { AccountsError } from "../accounts/accounts-error.ts";
import { setupInputSchema, tokenInputSchema } from "../api/accounts.ts";
import type { FormProblem } from "../api/form-problem.ts";
import { demand } from "./api-app.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import { safeNext } from "./next-path.ts";
import type { PageFrames } from "./page-frame.ts";
import { accountPage, setupPage } from "./page-routes.ts";
import { asRefusal } from "./problems.ts";
import { readForm } from "./request-body.ts";

/**
 * Plain forms that work without JavaScript: success redirects, and failure shows the form again, filled in and with
 * the reason.
 */
export function formRoutes(parts: HubParts, frames: PageFrames): Hono<HubEnv> {
  const { accounts, site } = parts;
  const app = new Hono<HubEnv>();

  app.post("/setup", async (c) => {
    const form = await readForm(c.req.raw);
    const name = form.get("name") ?? "";
    const siteName = form.get("siteName") || undefined;
    const input = { key: form.get("key") ?? "", name, password: form.get("password") ?? "" };
    try {
      if (siteName !== undefined && !setupInputSchema.shape.siteName.safeParse(siteName).success) {
        const problem = { ...NO_PROBLEM, field: "siteName", message: "1 to 100 characters." };
        return await setupAgain(c, 400, {
          key: input.key.slice(0, SETUP_KEY_SHOWN_MAX),
          name,
          siteName,
          problem,
        });
      }
      const { cookies } = await accounts.setUp(input, c.var.credentials);
      if (siteName !== undefined) await site.rename(siteName);
      return redirect("/publish?first", cookies);
    } catch (error) {
      if (!(error instanceof AccountsError)) throw error;
      if (error.code === "setup-done")
        return frames.respond(c, await setupPage(parts, "done"), 409);
      const { status, problem } = formProblem(error);
      const key = input.key.slice(0, SETUP_KEY_SHOWN_MAX);
      return setupAgain(c, status, { key, name, ...(siteName && { siteName }), problem });
    }
  });

  app.post("/login", async (c) => {
    const form = await readForm(c.req.raw);
    const name = form.get("name") ?? "";
    const next = safeNext(form.get("next"));
    try {
      const { cookies } = await accounts.signIn(
        name,
        form.get("password") ?? "",
        c.var.credentials,
      );
      return redirect(next, cookies);
    } catch (error) {
      if (!(error instanceof AccountsError)) throw error;
      const { status, problem } = formProblem(error);
      return frames.respond(c, { kind: "login", name: name.slice(0, 200), next, problem }, status);
    }
  });

  app.post("/logout", async (c) => redirect("/", await accounts.signOut(c.var.credentials)));

  app.post("/account/tokens", async (c) => {
    const actor = demand(c.var.actor, "account.change");
    const form = await readForm(c.req.raw);
    const days = form.get("expiresInDays") ?? "";
    const input = tokenInputSchema.safeParse({
      name: form.get("name"),
      scope: form.get("scope"),
      expiresInDays: /^[0-9]{1,4}$/.test(days) ? Number(days) : undefined,
    });
    if (!input.success) {
      const field = String(input.error.issues[0]?.path[0] ?? "");
      const message = "A token needs a name of 1 to 60 characters and 1 to 366 days.";
      const problem = { ...NO_PROBLEM, field, message };
      return accountPage(parts, frames, c, { problem, status: 400 });
    }
    const created = await accounts.createToken(actor.id, input.data);
    const { name, token } = created;
    return accountPage(parts, frames, c, { createdToken: { name, token } });
  });

  app.post("/account/tokens/:id/revoke", async (c) => {
    const actor = demand(c.var.actor, "account.change");
    await accounts.revokeToken(actor.id, c.req.param("id"));
    return accountPage(parts, frames, c, { notice: "The token is revoked." });
  });

  app.post("/account/sessions/:id/end", async (c) => {
    demand(c.var.actor, "account.change");
    const signedOut = await accounts.endSession(c.req.param("id"), c.var.credentials);
    // The account page requires a signed-in user.
    if (signedOut) return redirect("/", signedOut);
    return accountPage(parts, frames, c, { notice: "The session has ended." });
  });

  app.post("/account/password", async (c) => {
    const actor = demand(c.var.actor, "account.change");
    const form = await readForm(c.req.raw);
    const input = { current: form.get("current") ?? "", password: form.get("password") ?? "" };
    try {
      const cookies = await accounts.changePassword(actor, input, c.var.credentials);
      // The page belongs to the session that begins now, and so do its forms.
      const credentials = { ...c.var.credentials, cookie: asCookieHeader(cookies) };
      c.set("credentials", credentials);
      const response = await accountPage(parts, frames, c, {
        notice: "The password is changed. All other sessions have ended.",
        credentials,
      });
      for (const cookie of cookies) response.headers.append("set-cookie", cookie);
      return response;
    } catch (error) {
      if (!(error instanceof AccountsError)) throw error;
      const { status, problem } = formProblem(error);
      const field = error.code === "wrong-password" ? "current" : problem.field;
      return accountPage(parts, frames, c, { problem: { ...problem, field }, status });
    }
  });

  return app;

  async function setupAgain(
    c: Context<HubEnv>,
    status: number,
    filled: Parameters<typeof setupPage>[2],
  ): Promise<Response> {
    const state = accounts.setupOpen ? "open" : "reset";
    return frames.respond(c, await setupPage(parts, state, filled), status);
  }
}

/** Characters of a wrong key that are shown again. */
const SETUP_KEY_SHOWN_MAX = 200;

const NO_PROBLEM: FormProblem = { field: null, message: "", hint: null, waitSeconds: null };

const FIELDS: Readonly<Partial<Record<AccountsError["code"], string>>> = {
  "wrong-setup-key": "key",
  "bad-name": "name",
  "weak-password": "password",
};

function formProblem(error: AccountsError): { status: number; problem: FormProblem } {
  const refusal = asRefusal(error)!;
  return {
    status: refusal.status,
    problem: {
      field: FIELDS[error.code] ?? null,
      message: error.message,
      hint: refusal.hint ?? null,
      waitSeconds: refusal.retryAfter ?? null,
    },
  };
}

/** 303: the browser loads the next page with GET, so that a reload sends nothing again. */
function redirect(path: string, cookies: readonly string[]): Response {
  const headers = new Headers({ location: path, "cache-control": "no-store" });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status: 303, headers });
}

/** The `Cookie` header that the browser will send after it stored these. */
function asCookieHeader(cookies: readonly string[]): string {
  return cookies.map((cookie) => cookie.split(";", 1)[0]).join("; ");
}
