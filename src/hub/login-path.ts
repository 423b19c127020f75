import type { Context } from "hono";
import type { HubEnv } from "./hub-parts.ts";

/** The page for signing in, which leads back to the asked one. */
export function loginPath(c: Context<HubEnv>): string {
  const url = new URL(c.req.url);
  return `/login?next=${encodeURIComponent(url.pathname + url.search)}`;
}
