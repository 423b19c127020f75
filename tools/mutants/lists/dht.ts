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
  {
    name: "dht: private torrents are announced when they are published",
    file: "src/daemon/announced-catalogue.ts",
    from: "return row?.private === 0 ? infohashesOf(row) : undefined;",
    to: "return row ? infohashesOf(row) : undefined;",
    tests: ["src/daemon/announced-catalogue"],
  },
  {
    name: "dht: the catalogue spends what it likes",
    file: "src/dht/catalogue-announcer.ts",
    from: "if (!this.#budget.take(cost, now)) {",
    to: "if (!this.#budget.take(0, now)) {",
    tests: ["test/dht/catalogue"],
  },
  {
    name: "dht: the torrents of a stripe are announced at once",
    file: "src/dht/catalogue-stripe.ts",
    from: "return (this.#shortLeft > 0 ? firstRoundMs() : roundMs) / this.infohashes.count;",
    to: "return this.#shortLeft > 0 ? firstRoundMs() / this.infohashes.count : roundMs / 1e9;",
    tests: ["test/dht/catalogue"],
  },
];
