import { type Context, Hono } from "hono";
import type { FormProblem } from "../api/form-problem.ts";
import { MAGNET_CHARACTERS_MAX } from "../api/source-limits.ts";
import { torrentPagePath } from "../api/paths.ts";
import type { Fetch } from "../publish/fetch-state.ts";
import { can } from "../accounts/permissions.ts";
import { absent } from "./absent.ts";
import { demand } from "./api-app.ts";
import { publishPage } from "./fetch-pages.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import type { PageFrames } from "./page-frame.ts";
import { asRefusal } from "./problems.ts";
import { readForm } from "./request-body.ts";

/** The plain forms for a torrent that the hub fetches: start, try again, cancel. */
export function fetchForms(parts: HubParts, frames: PageFrames): Hono<HubEnv> {
  const { catalogue, fetches } = parts;
  const app = new Hono<HubEnv>();

  app.post("/publish/torrent", async (c) => {
    const actor = demand(c.var.actor, "torrent.publish");
    const source = ((await readForm(c.req.raw)).get("source") ?? "").trim();
    const problem = judgeSource(source);
    if (problem) return again(c, actor.id, { source, problem, status: 400 });
    try {
      const fetch = await fetches.begin(actor.id, source);
      const { torrentId } = fetch;
      const listing = torrentId === null ? undefined : await catalogue.find(torrentId);
      return c.redirect(torrentPagePath(listing?.id ?? fetch.id, listing?.name ?? fetch.name), 303);
    } catch (error) {
      const refusal = asRefusal(error);
      if (!refusal) throw error;
      return again(c, actor.id, {
        source,
        problem: { ...PROBLEM, message: refusal.message, hint: refusal.hint ?? null },
        status: refusal.status,
      });
    }
  });

  app.post("/t/:id/retry", async (c) => {
    const fetch = await changeable(c);
    // It may have been retried in another tab already.
    if (fetch.state === "failed") await fetches.retry(fetch.id);
    return c.redirect(torrentPagePath(fetch.id, fetch.name), 303);
  });

  app.post("/t/:id/cancel", async (c) => {
    const fetch = await changeable(c);
    await fetches.cancel(fetch.id);
    return c.redirect("/publish?from=torrent", 303);
  });

  return app;

  async function again(
    c: Context<HubEnv>,
    userId: string,
    { source, problem, status }: { source: string; problem: FormProblem; status: number },
  ): Promise<Response> {
    const shown = {
      from: "torrent",
      source: source.slice(0, MAGNET_CHARACTERS_MAX),
      problem,
    } as const;
    return frames.respond(c, await publishPage(parts, c.var, userId, shown), status);
  }

  async function changeable(c: Context<HubEnv>): Promise<Fetch> {
    const id = c.req.param("id") ?? "";
    demand(c.var.actor, "torrent.publish");
    const fetch = await fetches.find(id);
    const mine = fetch !== undefined && can(c.var.actor, "torrent.change", fetch);
    if (!mine) throw await absent(parts, id, "fetch");
    return fetch;
  }
}

const PROBLEM = { field: "source", hint: null, waitSeconds: null } as const;

/** Checks what can be judged without reading it. */
function judgeSource(source: string): FormProblem | null {
  if (source === "") {
    return {
      ...PROBLEM,
      message: "Nothing was given.",
      hint: "Paste a magnet link or an infohash.",
    };
  }
  if (source.length > MAGNET_CHARACTERS_MAX) {
    const message = `A magnet link may have ${MAGNET_CHARACTERS_MAX} characters here.`;
    return {
      ...PROBLEM,
      message,
      hint: "Leave some trackers out of it, or use the .torrent file.",
    };
  }
  if (/^https?:/i.test(source)) {
    return {
      ...PROBLEM,
      message: "This is a web address, not a magnet link.",
      hint: "Download the .torrent file from it and choose the file here, or copy the magnet link it has.",
    };
  }
  return null;
}
