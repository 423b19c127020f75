import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "dht: peers of a private torrent hear of our node",
    file: "src/engine/torrent/torrent-peers.ts",
    from: "this.#torrent.info?.private === false ? this.#host.dht?.port() : undefined",
    to: "this.#host.dht?.port()",
    tests: ["test/swarm/port-messages"],
  },
  {
    name: "dht: a peer has us ask every port of its machine",
    file: "src/engine/torrent/torrent-peer.ts",
    from: "    if (this.#saidPort) return;\n",
    to: "",
    tests: ["test/swarm/port-messages"],
  },
  {
    name: "dht: what peers name is asked at any rate",
    file: "src/dht/dht.ts",
    from: "if (this.#hearsay.take(1, now)) node",
    to: "node",
    tests: ["test/dht/network"],
  },
  {
    name: "dht: a victim is dialled for each torrent",
    file: "src/engine/sharing/dial-history.ts",
    from: "machine.failures = isAnswered ? 0 : machine.failures + 1;",
    to: "machine.failures = 0;",
    tests: ["src/engine/sharing/dial-history", "test/swarm/named-by-liars"],
  },
  {
    name: "dht: nodes nearby are asked when a torrent names them",
    file: "src/commands/one-shot-dht.ts",
    from: "if (this.#guard.allowPeer(endpoint)) this",
    to: "if (endpoint) this",
    tests: ["test/commands/session-dht"],
  },
];
