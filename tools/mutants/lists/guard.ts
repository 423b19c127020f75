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
  {
    name: "guard: packets of addresses that a filter keeps away are read",
    file: "src/guard/filtered-net.ts",
    from: `        receive: (bytes, from) => {
          if (refusalOf(from.address) === undefined) options.receive(bytes, from);
        },
      });
      return {`,
    to: `        receive: (bytes, from) => {
          options.receive(bytes, from);
        },
      });
      return {`,
    tests: ["src/guard/filtered-net"],
  },
  {
    name: "guard: a web seed's redirect may lead to an address that a filter keeps away",
    file: "src/daemon/open-network.ts",
    from: "    openRangeLine: filteredRangeLines(ways.openRangeLine, refusalOf),",
    to: "    openRangeLine: ways.openRangeLine,",
    tests: ["test/cli/network"],
  },
  {
    name: "guard: a peer that a filter keeps away is taken from others",
    file: "src/guard/net-guard.ts",
    from: "      if (this.refusalOf(address) !== undefined) return false;",
    to: "",
    tests: ["src/guard/net-guard"],
  },
  {
    name: "dht: a named node that a filter keeps away is asked",
    file: "src/dht/dht-node.ts",
    from: "!equalBytes(id, this.id) && this.#mayAsk(endpoint),",
    to: "!equalBytes(id, this.id) && endpoint.port > 0,",
    tests: ["test/dht/network"],
  },
  {
    name: "guard: a name behind a proxy is kept away by its stand-in",
    file: "src/daemon/open-network.ts",
    from: "    filters.has(address) && !behindProxy?.isStandIn(address)",
    to: "    filters.has(address) && behindProxy?.name !== address",
    tests: ["test/cli/proxy"],
  },
];
