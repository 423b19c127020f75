import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "commands: get waits on a full disk as a node would",
    file: "src/commands/get-torrent.ts",
    from: 'else if (state.cause === "disk-full") this.#fail(',
    to: 'else if (state.cause === "disk-full") void (',
    tests: ["test/commands/simulated-exchange"],
  },
  {
    name: "commands: get keeps no resume of a run that was ended",
    file: "src/commands/get-torrent.ts",
    from: "saveResume: (state) => this.#resume.save(state),",
    to: "saveResume: async () => undefined,",
    tests: ["test/commands/simulated-exchange"],
  },
  {
    name: "commands: an upload ignores the order that the hub asks for",
    file: "src/commands/publish-content.ts",
    from: "const placed = order.map((index) => {",
    to: "const placed = order.toSorted().map((index) => {",
    tests: ["test/commands/simulated-publish"],
  },
  {
    name: "commands: a cancelled check waits for the disk",
    file: "src/commands/check-torrent.ts",
    from: "        stop();\n        reject(signal.reason as Error);",
    to: "        stop();",
    tests: ["test/commands/simulated-content"],
  },
];
