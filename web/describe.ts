import type { PageModel } from "../src/api/pages.ts";
import { formatBytes, plural, visible } from "./parts/format.ts";
import { plainWords } from "./parts/rich-words.ts";

const descriptionCharactersMax = 300;

/** @returns The text of a share preview; null for pages that are not for sharing. */
export function describe(model: PageModel): string | null {
  switch (model.kind) {
    case "torrent": {
      const { torrent, description } = model;
      const facts = `${plural(torrent.fileCount, "file")}, ${formatBytes(torrent.size)}.`;
      const words = visible(plainWords(description));
      return [...`${facts} ${words}`].slice(0, descriptionCharactersMax).join("").trim();
    }
    case "upload":
      return `${plural(model.draft.fileCount, "file")}, ${formatBytes(model.draft.size)}, on its way.`;
    case "fetch":
      return model.size === null ? "On its way." : `${formatBytes(model.size)}, on its way.`;
    case "catalogue":
      return `${plural(model.list.total, "torrent")}, kept alive here.`;
    case "help":
      return "How to download what is published here, with just a browser or with a BitTorrent program.";
    default:
      return null;
  }
}
