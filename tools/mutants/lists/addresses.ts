import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "addresses: a ban holds one port",
    file: "src/base/peer-address.ts",
    from: "  return ipOf(address) ?? addressKey(address);\n",
    to: "  return addressKey(address);\n",
    tests: ["test/swarm/transports"],
  },
  {
    name: "addresses: each WebRTC peer is a network of its own",
    file: "src/base/peer-address.ts",
    from: "      return `webrtc:${address.via}`;\n",
    to: "      return webrtcName(address);\n",
    tests: ["test/swarm/transports"],
  },
  {
    name: "addresses: an id can stand for another introducer's",
    file: "src/base/peer-address.ts",
    from: "encodeURIComponent(id.toWellFormed())",
    to: "id",
    tests: ["src/base/peer-address"],
  },
  {
    name: "addresses: a banned peer that calls is let in",
    file: "src/engine/swarm/swarm.ts",
    from: "    if (this.#candidates.isBanned(address)) return false;\n",
    to: "",
    tests: ["test/swarm/transports"],
  },
  {
    name: "addresses: a peer is dialled only as its source named it",
    file: "src/engine/swarm/peer-ways.ts",
    from: "  const [first, ...others] = everyWay(address).filter(({ kind }) => kinds.has(kind));\n",
    to: "  const [first, ...others] = [address].filter(({ kind }) => kinds.has(kind));\n",
    tests: ["src/engine/swarm/candidates"],
  },
  {
    name: "addresses: peers that no transport reaches are kept",
    file: "src/engine/swarm/candidates.ts",
    from: "    const ways = waysTo(address, this.#kinds);\n",
    to: "    const ways = waysTo(address, new Set([address.kind]));\n",
    tests: ["test/swarm/transports"],
  },
  {
    name: "addresses: a way that led nowhere wins each race",
    file: "src/engine/swarm/candidates.ts",
    from: "(wasReached || proven) && isFirstTime && first",
    to: "proven && isFirstTime && first",
    tests: ["src/engine/swarm/candidates"],
  },
  {
    name: "addresses: only the first way is dialled",
    file: "src/engine/connection/transports.ts",
    from: "    if (others.length === 0) return",
    to: "    if (others.length >= 0) return",
    tests: ["test/swarm/transports"],
  },
  {
    name: "addresses: the way that lost the race stays open",
    file: "src/engine/connection/raced-stream.ts",
    from: "      if (racer !== stream) racer.destroy();\n",
    to: "      if (racer === stream) continue;\n",
    tests: ["src/engine/connection/raced-stream"],
  },
  {
    name: "addresses: a peer without an IP address is allowed pieces while it is choked",
    file: "src/engine/torrent/torrent-peers.ts",
    from: "    const address = ipOf(connection.remote);\n",
    to: '    const address = ipOf(connection.remote) ?? "10.0.0.1";\n',
    tests: ["test/swarm/transports"],
  },
];
