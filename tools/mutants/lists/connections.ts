import type { Mutant } from "../mutant.ts";

const STREAM = ["src/engine/connection/decorated-stream"];
const DECORATORS = ["test/swarm/decorators"];
const OWNER = ["test/swarm/owner"];

/** Connections: what their streams are decorated with, who owns them, and what is decided when they end. */
export const mutants: readonly Mutant[] = [
  {
    name: "decorators: what is not encoded yet counts as taken",
    file: "src/engine/connection/decorated-stream.ts",
    from: "const free = run.isPlain ? left : run.left === 0 ? run.plain : 0;",
    to: "const free = run.isPlain ? left : run.plain;",
    tests: STREAM,
  },
  {
    name: "decorators: everything is encoded at once",
    file: "src/engine/connection/decorated-stream.ts",
    from: " && this.#encodedBytes <= ENCODED_BYTES_MAX - ENCODE_BYTES",
    to: "",
    tests: STREAM,
  },
  {
    name: "decorators: a peer is answered before it has proved itself",
    file: "src/engine/connection/connection.ts",
    from: "if (behind) this.#decorateInner(behind, answer);",
    to: "this.out.frame(answer), this.out.flush(); if (behind) this.#decorateInner(behind);",
    tests: DECORATORS,
  },
  {
    name: "decorators: one that is never done has no deadline",
    file: "src/engine/connection/decorations.ts",
    from: '      close("its stream was not decorated in time");\n',
    to: "",
    tests: ["src/engine/connection/connection.test"],
  },
  {
    name: "decorators: a negotiation has no end",
    file: "src/engine/connection/decorated-stream.ts",
    from: "this.#receivedBytes > NEGOTIATION_BYTES_MAX",
    to: "this.#receivedBytes > 1e9",
    tests: DECORATORS,
  },
  {
    name: "decorators: the handshake may name another torrent than was negotiated about",
    file: "src/engine/connection/connection.ts",
    from: "this.#decorations?.agreesWith(infohash) === false",
    to: "this.#decorations?.agreesWith(infohash) === undefined",
    tests: DECORATORS,
  },
  {
    name: "decorators: bytes that came while it worked are not negotiated about",
    file: "src/engine/connection/decorated-stream.ts",
    from: "        if (this.#hasMore || (step.consumed > 0 && this.#receivedBytes > 0)) this.#negotiate();\n",
    to: "",
    tests: STREAM,
  },
  {
    name: "decorators: what a step left waits for more bytes",
    file: "src/engine/connection/decorated-stream.ts",
    from: " || (step.consumed > 0 && this.#receivedBytes > 0)",
    to: "",
    tests: STREAM,
  },
  {
    name: "owners: a peer that left while its owner decided stays with it",
    file: "src/engine/routes.ts",
    from: '      sink.handleClosed("the peer left while it waited", false);\n',
    to: "",
    tests: OWNER,
  },
  {
    name: "owners: peers that never shake hands keep their places",
    file: "src/engine/routes.ts",
    from: '        connection.close("no handshake in time");\n',
    to: "        continue;\n",
    tests: OWNER,
  },
  {
    name: "owners: a peer for whom there is no room is forgotten",
    file: "src/engine/routes.ts",
    from: "      this.#waiting.push(request);\n    }\n    return false;",
    to: "    }\n    return false;",
    tests: OWNER,
  },
  {
    name: "owners: the peer may name numbers of the other direction",
    file: "src/wire/wire-decoder.ts",
    from: "checkBound(piece, this.#bounds.served);",
    to: "checkBound(piece, this.#bounds.wanted);",
    tests: ["src/wire/wire-decoder", ...OWNER],
  },
  {
    name: "outputs: unfinished pieces are written while peers still send into them",
    file: "src/engine/torrent/torrent.ts",
    from: '    this.#drain();\n    if (before.kind === "opening")',
    to: '    if (before.kind === "opening")',
    tests: ["test/swarm/stopping"],
  },
  {
    name: "outputs: an owner is told in the middle of a burst",
    file: "src/engine/sharing/bursts.ts",
    from: "if (this.#unsettled.length > 0) this.#settleNext();",
    to: "if (this.#untold.length === 0) this.#settleNext();",
    tests: ["src/engine/sharing/bursts"],
  },
  {
    name: "outputs: a port may call back inside a call",
    file: "src/sim/outcome-guard.ts",
    from: "      invariant(call === undefined, `${name} comes after ${call} has returned`);\n",
    to: "",
    tests: ["src/sim/outcome-guard"],
  },
  {
    name: "records: a peer that leaves keeps its place in the downloader",
    file: "src/engine/download/downloader.ts",
    from: "    this.#joined.delete(peer);\n    peer.key = -1;\n",
    to: "    peer.key = -1;\n",
    tests: ["test/swarm/stopping", "src/engine/download/downloader"],
  },
  {
    name: "owners: a peer that no transport reaches is dialled",
    file: "src/engine/routes.ts",
    from: "if (!this.#routes.reaches(request.remote)) {",
    to: "if (this.#isEnded) {",
    tests: ["test/swarm/owner"],
  },
  {
    name: "owners: an owner is called inside a call that gives a torrent addresses",
    file: "src/engine/session.ts",
    from: "if (this.#routes.isAnyWaiting) this.handleWanted();\n    else ",
    to: "",
    tests: ["test/swarm/owner"],
  },
  {
    name: "extensions: one that finds peers is there in a private torrent",
    file: "src/engine/exchange/added-extensions.ts",
    from: "if (options.isPrivate && !kind.inPrivate) continue;",
    to: "",
    tests: ["test/swarm/extensions", "src/engine/exchange/added-extensions"],
  },
];
