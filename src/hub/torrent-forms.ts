import { type Context, Hono } from "hono";
import { torrentChangeSchema } from "../api/torrents.ts";
import { torrentPagePath } from "../api/paths.ts";
import { absent } from "./absent.ts";
import { demand } from "./api-app.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import type { LiveFigures } from "./live-figures.ts";
import { readForm } from "./request-body.ts";
import type { TorrentPages } from "./torrent-pages.ts";

/** The plain forms on a torrent's page: change its texts, remove it, restore it. */
export function torrentForms(
  parts: HubParts,
  live: LiveFigures,
  pages: TorrentPages,
): Hono<HubEnv> {
  const { catalogue, publications } = parts;
  const app = new Hono<HubEnv>();

  app.post("/t/:id/edit", async (c) => {
    const listing = await published(c);
    const form = await readForm(c.req.raw);
    const texts = {
      name: form.get("name") ?? "",
      // Forms send CRLF line ends.
      comment: (form.get("comment") ?? "").replaceAll("\r\n", "\n"),
    };
    const input = torrentChangeSchema.safeParse(texts);
    if (!input.success) {
      const field = String(input.error.issues[0]?.path[0] ?? "name");
      const message =
        field === "name"
          ? "A title has 1 to 255 characters."
          : "A description has 10,000 characters at most.";
      const problem = { field, message, hint: null, waitSeconds: null };
      return pages.torrent(c, listing, { ...texts, problem });
    }
    await publications.edit(listing.id, {
      name: texts.name,
      comment: texts.comment === "" ? null : texts.comment,
    });
    return c.redirect(torrentPagePath(listing.id, texts.name), 303);
  });

  app.post("/t/:id/remove", async (c) => {
    const listing = await published(c);
    const actor = demand(c.var.actor, "torrent.change", { ownerId: listing.publisherId });
    await publications.remove(listing.id, actor.id);
    live.end(listing.id);
    parts.downloads.stop(listing.id);
    return c.redirect(torrentPagePath(listing.id, listing.name), 303);
  });

  app.post("/t/:id/restore", async (c) => {
    demand(c.var.actor, "torrent.publish");
    const id = c.req.param("id");
    const removal = await publications.findRemoved(id);
    if (!removal) throw await absent(parts, id, "torrent");
    demand(c.var.actor, "torrent.change", { ownerId: removal.publisherId });
    if (removal.undoUntilMs === null) throw await absent(parts, id, "torrent");
    await publications.restore(removal.id);
    return c.redirect(torrentPagePath(removal.id, removal.title ?? ""), 303);
  });

  return app;

  async function published(c: Context<HubEnv>) {
    const id = c.req.param("id") ?? "";
    demand(c.var.actor, "torrent.publish");
    const listing = await catalogue.find(id);
    if (!listing) throw await absent(parts, id, "torrent");
    demand(c.var.actor, "torrent.change", { ownerId: listing.publisherId });
    return listing;
  }
}
