import type { Mutant } from "../mutant.ts";

/** Where connections may lead, and whom they are kept from. */
export const mutants: readonly Mutant[] = [
  {
    name: "guard: a filtered peer is let in when it dials us",
    file: "src/guard/guarded-transport.ts",
    from: "if (this.#options.judge(lower.remote, lower.local)) return undefined;",
    to: "",
    tests: ["src/guard/guarded-transport"],
  },
  {
    name: "guard: a list that cannot be read any more blocks nobody",
    file: "src/guard/filter-files.ts",
    from: "this.#trouble = error.message;",
    to: "this.#trouble = error.message; this.#ranges = await inTurns(this.#options.clock, new IpRangesBuilder().build());",
    tests: ["test/guard/filter-files"],
  },
  {
    name: "guard: connections of an interface that went away stay",
    file: "src/guard/on-addresses.ts",
    from: "if (bound.has(address)) continue;",
    to: 'if (address !== "") continue;',
    tests: ["src/guard/bound-net"],
  },
  {
    name: "guard: the last address of a range is not in it",
    file: "src/guard/ip-ranges.ts",
    from: "return compareWords(this.#words, last, wanted, 0, width) >= 0;",
    to: "return compareWords(this.#words, last, wanted, 0, width) > 0;",
    tests: ["src/guard/ip-ranges"],
  },
];
