import type { Migration } from "kysely/migration";
import { publishTables } from "./0001-publish.ts";
import { accountTables } from "./0002-accounts.ts";
import { swarmBytes } from "./0003-swarm-bytes.ts";
import { searchClues } from "./0004-search-clues.ts";
import { namedTrackers } from "./0005-named-trackers.ts";
import { removedTorrents } from "./0006-removed-torrents.ts";
import { fileSums } from "./0008-file-sums.ts";
import { fetches } from "./0009-fetches.ts";
import { fileCopies } from "./0010-file-copies.ts";
import { registeredTotals } from "./0011-registered-totals.ts";
import { inPlaceStamps } from "./0012-in-place-stamps.ts";
import { searchParts } from "./0013-search-parts.ts";
import { principalTotals } from "./0014-principal-totals.ts";
import { torrentVersions } from "./0015-torrent-versions.ts";
import { transfers } from "./0016-transfers.ts";
import { transferUpTime } from "./0017-transfer-up-time.ts";
import { transferContents } from "./0018-transfer-contents.ts";
import { failedTransfers } from "./0019-failed-transfers.ts";
import { longLists } from "./0020-long-lists.ts";

/** In order, forward only. A released migration is never changed; changes come as new ones. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-publish": publishTables,
  "0002-accounts": accountTables,
  "0003-swarm-bytes": swarmBytes,
  "0004-search-clues": searchClues,
  "0005-named-trackers": namedTrackers,
  "0006-removed-torrents": removedTorrents,
  "0008-file-sums": fileSums,
  "0009-fetches": fetches,
  "0010-file-copies": fileCopies,
  "0011-registered-totals": registeredTotals,
  "0012-in-place-stamps": inPlaceStamps,
  "0013-search-parts": searchParts,
  "0014-principal-totals": principalTotals,
  "0015-torrent-versions": torrentVersions,
  "0016-transfers": transfers,
  "0017-transfer-up-time": transferUpTime,
  "0018-transfer-contents": transferContents,
  "0019-failed-transfers": failedTransfers,
  "0020-long-lists": longLists,
};
