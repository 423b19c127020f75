import { infohashesOf } from "../publish/row-infohashes.ts";
import type { TorrentTable } from "../store/torrents.ts";
import type { TransferTable } from "../store/transfers.ts";
import { infohashesOf as infohashesOfTransfer, isSeeded } from "../transfers/transfer-row.ts";
import type { AnnouncedSeeds } from "./announced-catalogue.ts";

/** What is published here. */
export function publishedSeeds(
  torrents: Pick<TorrentTable, "publicInfohashes" | "findByWire">,
): AnnouncedSeeds {
  return {
    all: () => torrents.publicInfohashes(),
    find: async (wireInfohash) => {
      const row = await torrents.findByWire(wireInfohash);
      return row?.private === 0 ? infohashesOf(row) : undefined;
    },
  };
}

/** What the owner of the node keeps and has whole. */
export function transferSeeds(
  transfers: Pick<TransferTable, "publicSeeds" | "findByWire">,
): AnnouncedSeeds {
  return {
    all: () => transfers.publicSeeds(),
    find: async (wireInfohash) => {
      const row = await transfers.findByWire(wireInfohash);
      return row?.private === 0 && isSeeded(row) ? infohashesOfTransfer(row) : undefined;
    },
  };
}
