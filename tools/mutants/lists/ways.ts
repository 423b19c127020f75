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
  {
    name: "ways: a file of a watch folder is taken while it is written",
    file: "src/transfers/watch-place.ts",
    from: "nowMs() - note.sinceMs >= BROKEN_MS) this.#settle",
    to: "nowMs() >= 0) this.#settle",
    tests: ["test/transfers/watch-folders"],
  },
  {
    name: "ways: of a file with one wrong link the others are taken",
    file: "src/transfers/watch-place.ts",
    from: "    for (const link of links) readLink(link);\n",
    to: "",
    tests: ["test/transfers/watch-folders"],
  },
  {
    name: "ways: a pipe that took a file's place holds the node",
    file: "src/platform/node-drop-folders.ts",
    from: "if (!facts.isFile() || facts.size > bytesMax) return undefined;",
    to: "if (facts.size > bytesMax) return undefined;",
    tests: ["src/platform/node-drop"],
  },
  {
    name: "ways: a name becomes an option of the program",
    file: "src/transfers/finish-program.ts",
    from: 'text.startsWith("-") && !argument.startsWith("-") ? `./${text}` : text',
    to: "text",
    tests: ["src/transfers/finish"],
  },
  {
    name: "ways: a program gets all of our environment",
    file: "src/platform/node-programs.ts",
    from: "env: { ...passedOn(), ...run.variables },",
    to: "env: { ...process.env, ...passedOn(), ...run.variables },",
    tests: ["src/platform/node-programs"],
  },
  {
    name: "ways: what the webhook has to deliver is lost in a kill",
    file: "src/transfers/webhook.ts",
    from: "    this.#saveSoon();\n    this.#send();",
    to: "    this.#send();",
    tests: ["src/transfers/webhook"],
  },
  {
    name: "ways: a delivery that is refused holds the others for ever",
    file: "src/transfers/webhook.ts",
    from: "refusals >= REFUSALS_MAX || ",
    to: "",
    tests: ["src/transfers/webhook"],
  },
];
