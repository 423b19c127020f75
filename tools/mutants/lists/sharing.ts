import type { Mutant } from "../mutant.ts";

const FAIRNESS = ["test/swarm/fairness", "src/engine/sharing/turn-ring"];
const SLOTS = ["test/swarm/fairness", "src/engine/sharing/slot-shares", "src/engine/upload/choker"];
const CONNECTIONS = ["test/swarm/fairness", "src/engine/sharing/connection-shares"];
const OPENING = ["test/swarm/opening", "src/engine/storage/root-leases"];

/** What torrents share, and the small faults that were found with it. */
export const mutants: readonly Mutant[] = [
  {
    name: "sharing: everybody takes past those that wait",
    file: "src/engine/sharing/turn-ring.ts",
    from: "return claim === this.#current ? Math.min(claim.credit, available) : 0;",
    to: "return available;",
    tests: FAIRNESS,
  },
  {
    name: "sharing: a turn has no end",
    file: "src/engine/sharing/turn-ring.ts",
    from: "    if (!this.#isAlone(claim)) claim.credit -= units;\n",
    to: "",
    tests: FAIRNESS,
  },
  {
    name: "sharing: every round of dials begins with the first torrent",
    file: "src/engine/session.ts",
    from: "    let passed = 0;\n",
    to: "    let passed = 0;\n    this.#dialTurn = -1;\n",
    tests: FAIRNESS,
  },
  {
    name: "sharing: idle memory is kept from those that wait",
    file: "src/engine/session.ts",
    from: "if (torrent.spillIdle()) break;",
    to: "if (torrent.isOpening && torrent.spillIdle()) break;",
    tests: FAIRNESS,
  },
  {
    name: "connections: torrents keep what they had first",
    file: "src/engine/session.ts",
    from: "    this.#takeBack(now);\n",
    to: "",
    tests: CONNECTIONS,
  },
  {
    name: "connections: one is taken back and forth",
    file: "src/engine/sharing/connection-shares.ts",
    from: "other.count > sharer.count * APART + 1;",
    to: "other.count > sharer.count * APART - 1;",
    tests: CONNECTIONS,
  },
  {
    name: "connections: the fastest peer is taken back",
    file: "src/engine/swarm/swarm.ts",
    from: "peer.bytesPerSecond(now) : -1;",
    to: "-peer.bytesPerSecond(now) : -1;",
    tests: CONNECTIONS,
  },
  {
    name: "connections: addresses that do not answer cost others one a second",
    file: "src/engine/sharing/connection-shares.ts",
    from: "Math.min(WAIT_MS_MAX, last.waitMs * 2)",
    to: "Math.min(TAKE_MS, last.waitMs * 2)",
    tests: CONNECTIONS,
  },
  {
    name: "connections: the last places are for whoever dials us",
    file: "src/engine/sharing/connection-shares.ts",
    from: "if (!isSpare && now >= this.#keptUntilMs) return () => true;",
    to: "if (now >= this.#keptUntilMs) return () => true;",
    tests: CONNECTIONS,
  },
  {
    name: "slots: every round begins with the same torrent",
    file: "src/engine/sharing/slot-shares.ts",
    from: "      if (left === 0) this.#cursor = claim;\n",
    to: "",
    tests: SLOTS,
  },
  {
    name: "slots: a torrent that wants fewer keeps what it had",
    file: "src/engine/sharing/slot-shares.ts",
    from: "this.#hold(claim, Math.min(this.#want(claim), this.#slotsOf(claim) + free));",
    to: "this.#hold(claim, Math.max(this.#slotsOf(claim), Math.min(this.#want(claim), free)));",
    tests: SLOTS,
  },
  {
    name: "slots: peers held back by our limit make room for others",
    file: "src/engine/upload/choker.ts",
    from: "const isServed = peer.isHeldBack === true",
    to: "const isServed = peer.isHeldBack === undefined",
    tests: SLOTS,
  },
  {
    name: "slots: blocks that leave slowly do not count as served",
    file: "src/engine/upload/choker.ts",
    from: "peer.isHeldBack === true || runsSent > ledger.runsSent;",
    to: "peer.isHeldBack === true;",
    tests: SLOTS,
  },
  {
    name: "slots: a line that is busy with other torrents counts as idle",
    file: "src/engine/upload/choker.ts",
    from: "const isBusy = now - this.#servedAtMs < QUIET_MS;",
    to: "const isBusy = now < this.#servedAtMs;",
    tests: SLOTS,
  },
  {
    name: "slots: one slot alone is always for the best giver",
    file: "src/engine/upload/choker.ts",
    from: "this.#loneRounds % LONE_ROUNDS !== 0",
    to: "this.#loneRounds > 0",
    tests: SLOTS,
  },
  {
    name: "swarm: acknowledgements prove nothing",
    file: "src/engine/swarm/read-clock.ts",
    from: "acked > this.#ackedTotal",
    to: "acked < 0",
    tests: ["src/engine/swarm/read-clock", "test/swarm/slow-reader"],
  },
  {
    name: "storage: a check that the disk ended says that nothing is there",
    file: "src/engine/storage/opening.ts",
    from: 'if (outcome.kind === "failure") this.#handleFailure(outcome);\n        else finish();',
    to: "finish();",
    tests: OPENING,
  },
  {
    name: "storage: a root is opened while a removed torrent closes it",
    file: "src/engine/storage/root-leases.ts",
    from: "if (!this.#isTaken(waiter.root)) {",
    to: "if (waiter.root.length > 0) {",
    tests: OPENING,
  },
  {
    name: "picker: the rarest copy is never lower than it was",
    file: "src/engine/picker/rarity-order.ts",
    from: "    this.#leastCopies = Math.min(this.#leastCopies, copies);\n",
    to: "",
    tests: ["src/engine/picker/picker-property"],
  },
  {
    name: "tracker-client: a torrent that stops early says no goodbye",
    file: "src/tracker-client/remote-tracker.ts",
    from: "started || pending !== undefined,",
    to: "started,",
    tests: ["src/tracker-client/tracker-client"],
  },
  {
    name: "wire: a length that no message has waits for its id",
    file: "src/wire/wire-decoder.ts",
    from: "    if (frame <= most) return;\n",
    to: "    if (frame >= 0) return;\n",
    tests: ["src/wire/wire-decoder"],
  },
  {
    name: "publish: a sweep that ends after stop plans another",
    file: "src/publish/hourly-sweep.ts",
    from: "    if (this.#stopped) return;\n",
    to: "",
    tests: ["src/publish/hourly-sweep"],
  },
];
