import type { Mutant } from "../mutant.ts";

/** How torrents come to a node, and what it tells others. */
export const mutants: readonly Mutant[] = [
  {
    name: "ways: the patterns of a link are forgotten when its files are known",
    file: "src/transfers/running-transfers.ts",
    from: "choices: JSON.stringify(choices ?? others),",
    to: "choices: JSON.stringify(others),",
    tests: ["test/transfers/adding"],
  },
  {
    name: "ways: a private torrent takes on the trackers of another copy",
    file: "src/transfers/transfer-edits.ts",
    from: "row.private === 1 ? [] : joinTrackers",
    to: "joinTrackers",
    tests: ["test/transfers/adding"],
  },
  {
    name: "ways: the trackers of another copy become the owner's",
    file: "src/transfers/transfer-adding.ts",
    from: "addTrackers: choices?.ownTrackers,",
    to: "addTrackers: [...(choices?.ownTrackers ?? []), ...trackersIn(source).flat()],",
    tests: ["test/transfers/adding"],
  },
];
