import type { Mutant } from "../mutant.ts";

/** Peers behind routers: who is asked for an introduction, how often, and who is dialled then. */
export const mutants: readonly Mutant[] = [
  {
    name: "pex: a relay introduces without an end",
    file: "src/pex/holepunch.ts",
    from: "if (!member.taken.take(1, this.#nowMs)) {",
    to: "if (member.ignored < 0) {",
    tests: ["src/pex/holepunch"],
  },
  {
    name: "pex: introductions are followed without an end",
    file: "src/pex/holepunch.ts",
    from: "if (!this.#followed.take(1, this.#nowMs)) return;",
    to: "this.#followed.spend(1, this.#nowMs);",
    tests: ["src/pex/holepunch"],
  },
  {
    name: "pex: the guard is not asked about whom a relay introduces",
    file: "src/pex/holepunch.ts",
    from: "if (judged.length === 0 || !this.#isNews(endpoint)) return;",
    to: "if (judged.length < 0 || !this.#isNews(endpoint)) return;",
    tests: ["src/pex/holepunch"],
  },
  {
    name: "pex: a relay names the port that a peer says, not the one that its router shows",
    file: "src/pex/holepunch.ts",
    from: 'return endpointOf(address.kind === "utp" ? address : (reachableAt ?? address));',
    to: "return endpointOf(reachableAt ?? address);",
    tests: ["src/pex/holepunch", "test/swarm/holepunch"],
  },
  {
    name: "pex: an address that stays unreachable is asked for without an end",
    file: "src/pex/introductions.ts",
    from: "if (wanted.asked || wanted.rounds >= ROUNDS_MAX) return;",
    to: "if (wanted.asked) return;",
    tests: ["src/pex/introductions"],
  },
  {
    name: "pex: a relay that says nothing is waited for",
    file: "src/pex/introductions.ts",
    from: "if (wanted.asked && now - wanted.asked.atMs >= ANSWER_MS) this.#askNext(wanted, now);",
    to: "if (wanted.others.length < 0) this.#askNext(wanted, now);",
    tests: ["src/pex/introductions"],
  },
  {
    name: "pex: whoever was not asked ends the asking",
    file: "src/pex/introductions.ts",
    from: "if (wanted?.asked?.relay !== relay) return false;",
    to: "if (!wanted?.asked) return false;",
    tests: ["src/pex/introductions"],
  },
  {
    name: "engine: what one peer names fills the memory",
    file: "src/engine/exchange/introducers.ts",
    from: "if (named.size <= PER_PEER_MAX) continue;",
    to: "if (named.size > 0) continue;",
    tests: ["src/engine/exchange/introducers"],
  },
  {
    name: "engine: nobody is told that an address does not answer",
    file: "src/engine/swarm/swarm.ts",
    from: "} else if (now - peer.swarm.begunAtMs >= UNANSWERED_MS) this.#tellUnreached(peer);",
    to: "}",
    tests: ["test/swarm/holepunch"],
  },
  {
    name: "engine: whom we are introduced to is dialled in its turn",
    file: "src/engine/swarm/candidates.ts",
    from: "candidate.turn = { candidate, dueAtMs: now, failures: HASTENED };",
    to: "candidate.turn = { candidate, dueAtMs: now, failures: candidate.failures };",
    tests: ["src/engine/swarm/candidates"],
  },
  {
    name: "pex: a peer that is named over uTP is dialled over TCP first",
    file: "src/pex/peer-exchange.ts",
    from: 'return { kind: (flags & PEX_FLAG.utp) !== 0 ? "utp" : "tcp", endpoint };',
    to: 'return { kind: (flags & PEX_FLAG.utp) > 255 ? "utp" : "tcp", endpoint };',
    tests: ["src/pex/peer-exchange"],
  },
];
