import { createRoute, z } from "@hono/zod-openapi";
import {
  createdTokenSchema,
  passwordInputSchema,
  sessionSchema,
  setupInputSchema,
  signInInputSchema,
  tokenInputSchema,
  tokenListSchema,
} from "../api/accounts.ts";
import { answers, type ApiApp, createApiApp, demand, limitBody, takes } from "./api-app.ts";
import type { HubParts } from "./hub-parts.ts";
import { SMALL_BODY_BYTES } from "./request-body.ts";
import { tokenView, userView } from "./views.ts";

const small = limitBody(SMALL_BODY_BYTES);
const done = { 204: { description: "Done." } };

const setupRoute = createRoute({
  method: "post",
  path: "/setup",
  summary: "Make the administrator, once, with the key from the terminal, on the machine itself",
  request: takes(setupInputSchema),
  responses: answers(sessionSchema, 201),
  middleware: small,
});

const whoRoute = createRoute({
  method: "get",
  path: "/session",
  summary: "The signed-in user",
  responses: answers(sessionSchema),
});

const signInRoute = createRoute({
  method: "post",
  path: "/session",
  summary: "Sign in: the answer sets a cookie",
  request: takes(signInInputSchema),
  responses: answers(sessionSchema),
  middleware: small,
});

const signOutRoute = createRoute({
  method: "delete",
  path: "/session",
  summary: "Sign out",
  responses: done,
});

const passwordRoute = createRoute({
  method: "post",
  path: "/password",
  summary: "Set a new password; ends all other sessions",
  request: takes(passwordInputSchema),
  responses: done,
  middleware: small,
});

const tokensRoute = createRoute({
  method: "get",
  path: "/tokens",
  summary: "One's own API tokens",
  responses: answers(tokenListSchema),
});

const createTokenRoute = createRoute({
  method: "post",
  path: "/tokens",
  summary: "Make an API token; it is shown this once",
  request: takes(tokenInputSchema),
  responses: answers(createdTokenSchema, 201),
  middleware: small,
});

const revokeTokenRoute = createRoute({
  method: "delete",
  path: "/tokens/{id}",
  summary: "Revoke an API token",
  request: { params: z.object({ id: z.string().max(64) }) },
  responses: done,
});

/** People and their tokens, for programs and for our own pages. */
export function accountRoutes(parts: HubParts): ApiApp {
  const { accounts, site } = parts;
  return createApiApp()
    .openapi(setupRoute, async (c) => {
      const input = c.req.valid("json");
      const { value, cookies } = await accounts.setUp(input, c.var.credentials);
      if (input.siteName !== undefined) await site.rename(input.siteName);
      for (const cookie of cookies) c.header("set-cookie", cookie, { append: true });
      return c.json({ user: userView(value) }, 201);
    })
    .openapi(whoRoute, (c) => c.json({ user: userView(c.var.actor) }, 200))
    .openapi(signInRoute, async (c) => {
      const { name, password } = c.req.valid("json");
      const { value, cookies } = await accounts.signIn(name, password, c.var.credentials);
      for (const cookie of cookies) c.header("set-cookie", cookie, { append: true });
      return c.json({ user: userView(value) }, 200);
    })
    .openapi(signOutRoute, async (c) => {
      for (const cookie of await accounts.signOut(c.var.credentials)) {
        c.header("set-cookie", cookie, { append: true });
      }
      return c.body(null, 204);
    })
    .openapi(passwordRoute, async (c) => {
      const actor = demand(c.var.actor, "account.change");
      const input = c.req.valid("json");
      for (const cookie of await accounts.changePassword(actor, input, c.var.credentials)) {
        c.header("set-cookie", cookie, { append: true });
      }
      return c.body(null, 204);
    })
    .openapi(tokensRoute, async (c) => {
      const actor = demand(c.var.actor, "token.change");
      const tokens = await accounts.tokens(actor.id);
      return c.json({ tokens: tokens.map(tokenView) }, 200);
    })
    .openapi(createTokenRoute, async (c) => {
      const actor = demand(c.var.actor, "token.change");
      const created = await accounts.createToken(actor.id, c.req.valid("json"));
      return c.json({ ...tokenView(created), token: created.token }, 201);
    })
    .openapi(revokeTokenRoute, async (c) => {
      const actor = demand(c.var.actor, "token.change");
      await accounts.revokeToken(actor.id, c.req.valid("param").id);
      return c.body(null, 204);
    });
}
