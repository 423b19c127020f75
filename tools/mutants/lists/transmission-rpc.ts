import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "transmission-rpc: ids of a wrong type mean all transfers",
    file: "src/transmission-rpc/selection.ts",
    from: "if (!named.every(isName)) {",
    to: "if (!named.every(isName)) return { pages: allPages(transfers), removed: undefined };\n  if (ids === 0.5) {",
    tests: ["test/transfers/transmission-rpc"],
  },
  {
    name: "transmission-rpc: a limit of 0 is no limit",
    file: "src/transmission-rpc/units.ts",
    from: "const ALMOST_NOTHING = 1;",
    to: "const ALMOST_NOTHING = 0;",
    tests: ["test/transfers/transmission-rpc"],
  },
  {
    name: "transmission-rpc: a path is taken for a link",
    file: "src/transmission-rpc/torrent-add.ts",
    from: "if (/^magnet:/i.test(filename) || magnetOfInfohash(filename)) return { link: filename };",
    to: 'if (filename !== "") return { link: filename };',
    tests: ["test/transfers/transmission-rpc"],
  },
  {
    name: "transmission-rpc: the session is changed before everything was judged",
    file: "src/transmission-rpc/session-set.ts",
    from: "  const settings = settingsChange(",
    to: "  await transfers.setSettings(settingsChange(state, { ...before, ...asked }, asked));\n  const settings = settingsChange(",
    tests: ["test/transfers/transmission-rpc"],
  },
  {
    name: "transmission-rpc: an id is given to another transfer",
    file: "src/store/sqlite/transfers.ts",
    from: "let seq = Math.max(last, this.#goneSeq);",
    to: "let seq = Math.max(last, 0 * this.#goneSeq);",
    tests: ["test/transfers/transmission-rpc"],
  },
  {
    name: "transmission-rpc: the session's id need not be repeated",
    file: "src/hub/transmission-route.ts",
    from: "if (headers.get(SESSION_HEADER) !== rpc.sessionId) return inWords(REPEAT_ID, id);",
    to: "if (headers.get(SESSION_HEADER) === null) return inWords(REPEAT_ID, id);",
    tests: ["test/hub/transmission-route"],
  },
  {
    name: "transmission-rpc: anybody with an account controls the transfers",
    file: "src/hub/transmission-route.ts",
    from: 'if (!can(actor, "hub.administer")) return inWords(NOT_ALLOWED);',
    to: 'if (!can(actor, "torrent.publish")) return inWords(NOT_ALLOWED);',
    tests: ["test/hub/transmission-route"],
  },
  {
    name: "accounts: a wrong password is remembered as right",
    file: "src/accounts/checked-passwords.ts",
    from: "if (isRight) this.#keep(key);",
    to: "this.#keep(key);",
    tests: ["src/accounts/checked-passwords"],
  },
];
