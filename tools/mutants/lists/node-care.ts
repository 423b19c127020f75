import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "node: strangers may take every descriptor",
    file: "src/daemon/descriptor-share.ts",
    from: "Math.max(CONNECTIONS_MIN, Math.min(wanted, limit - others))",
    to: "wanted",
    tests: ["test/node/rough-places"],
  },
  {
    name: "node: an emptied database is taken for a new one",
    file: "src/daemon/hub-state.ts",
    from: "if (facts?.size !== 0) return;",
    to: "if (facts?.size !== -1) return;",
    tests: ["test/node/rough-places"],
  },
  {
    name: "doctor: a database is not read page by page",
    file: "src/store/inspect-store.ts",
    from: "if (isExamined) {",
    to: "if (!isExamined) {",
    tests: ["test/node/doctor"],
  },
  {
    name: "doctor: a clock behind is taken for one ahead",
    file: "src/daemon/examine-trackers.ts",
    from: "clock.wallMs() - told",
    to: "told - clock.wallMs()",
    tests: ["test/node/doctor"],
  },
  {
    name: "completion: an id that was given is offered again",
    file: "src/cli/completion-words.ts",
    from: "&& !given.has(word)",
    to: "&& given.size >= 0",
    tests: ["src/cli/completion-words"],
  },
  {
    name: "vtorrent: what is downloaded goes to the current folder",
    file: "src/cli/commands/vtorrent.ts",
    from: "{ ...flags, out: flags.path }",
    to: '{ ...flags, out: "." }',
    tests: ["test/cli/vtorrent"],
  },
];
