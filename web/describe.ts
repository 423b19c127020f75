import type { PageModel } from "../src/api/pages.ts";
import { formatBytes, plural, visible } from "./parts/format.ts";

const descriptionCharactersMax = 300;

/** @returns What a share preview says about the page; null for pages that are nobody's to share. */
export function describe(model: PageModel): string | null {
  switch (model.kind) {
    case "torrent": {
      const { torrent } = model;
      const facts = `${plural(torrent.fileCount, "file")}, ${formatBytes(torrent.size)}.`;
      const comment =
        torrent.comment === null ? "" : ` ${visible(torrent.comment.replace(/\s+/g, " "))}`;
      return [...`${facts}${comment}`].slice(0, descriptionCharactersMax).join("");
    }
    case "upload":
      return `${plural(model.draft.fileCount, "file")}, ${formatBytes(model.draft.size)}, on its way.`;
    case "catalogue":
      return `${plural(model.list.total, "torrent")}, kept alive here.`;
    default:
      return null;
  }
}
