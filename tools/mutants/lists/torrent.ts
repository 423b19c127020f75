import type { Mutant } from "../mutant.ts";

const STATE = ["src/engine/torrent/torrent-state"];

/** The state of a torrent, and what its machines say. */
export const mutants: readonly Mutant[] = [
  {
    name: "torrent: it looks whether all is there while the disk refuses",
    file: "src/engine/torrent/torrent-state.ts",
    from: 'if (!isWell || phase.goal !== "wanting") return unchanged(phase);',
    to: 'if (phase.goal !== "wanting") return unchanged(phase);',
    tests: STATE,
  },
  {
    name: "torrent: complete is told again whenever it is confirmed",
    file: "src/engine/torrent/torrent-state.ts",
    from: 'if (!phase.isTold) effects.push("tell-complete");',
    to: 'effects.push("tell-complete");',
    tests: STATE,
  },
  {
    name: "torrent: what is wanted anew is not told to be complete",
    file: "src/engine/torrent/torrent-state.ts",
    from: 'return { next: { ...phase, goal: "wanting", isTold: false }, effects: [] };',
    to: 'return { next: { ...phase, goal: "wanting" }, effects: [] };',
    tests: STATE,
  },
  {
    name: "torrent: a broken one goes on when its disk is back",
    file: "src/engine/torrent/torrent-state.ts",
    from: '    case "broken":\n      return stepLate(phase, event);\n',
    to: '    case "broken":\n      return event.kind === "back" ? { next: phase, effects: ["resume"] } : stepLate(phase, event);\n',
    tests: STATE,
  },
  {
    name: "torrent: a peer that left while its torrent was being woken is answered",
    file: "src/engine/connection/connection.ts",
    from: '    if (this.#stage !== "waking") return;\n',
    to: "",
    tests: ["src/engine/connection/connection.test"],
  },
  {
    name: "torrent: bytes that were sent are not told",
    file: "src/engine/upload/uploader.ts",
    from: "    this.#sentBytes += payload;\n",
    to: "",
    tests: ["src/engine/upload/uploader"],
  },
  {
    name: "torrent: a block that could not be written is not told",
    file: "src/engine/storage/piece-store.ts",
    from: "          this.#refused.push({ piece, failure: outcome });\n",
    to: "",
    tests: ["src/engine/storage/piece-store"],
  },
  {
    name: "torrent: blocks of unfinished pieces on disk are no change of a resume",
    file: "src/engine/torrent/transfer.ts",
    from: "this.files.handlePartial();",
    to: "",
    tests: ["test/swarm/stopping"],
  },
  {
    name: "torrent: the last resume of a quiet torrent is not orderly",
    file: "src/engine/storage/resume-keeper.ts",
    from: " && !this.#unclean",
    to: "",
    tests: ["src/engine/storage/resume-keeper"],
  },
  {
    name: "torrent: a piece found corrupt leaves its blocks in the resume",
    file: "src/engine/storage/piece-store.ts",
    from: "if (entry.written.count > 0) this.#claimsChanged = true;",
    to: "",
    tests: ["src/engine/storage/piece-store"],
  },
  {
    name: "torrent: peers that all choke us pass for peers that send",
    file: "src/engine/torrent/slowness.ts",
    from: "if (amInterested && !peerChoking) return",
    to: "if (amInterested) return",
    tests: ["src/engine/torrent/slowness"],
  },
  {
    name: "torrent: a slow disk is not told",
    file: "src/engine/download/block-requests.ts",
    from: "this.#options.memory.handleHeld(now);",
    to: "",
    tests: ["test/swarm/slowness"],
  },
];
