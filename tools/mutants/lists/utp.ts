import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "utp: acks of what was never sent count",
    file: "src/utp/send-side.ts",
    from: "return distance <= sent && distance >= -PACKETS_MAX;",
    to: "return distance >= -PACKETS_MAX;",
    tests: ["test/utp/liars"],
  },
  {
    name: "utp: the peer's word about the queue is believed",
    file: "src/utp/ledbat.ts",
    from: "return roundTripQueueUs > LIE_TARGETS * TARGET_US ? Math.max(most, roundTripQueueUs / 2) : most;",
    to: "return roundTripQueueUs < 0 ? most : queueUs;",
    tests: ["src/utp/ledbat"],
  },
  {
    name: "utp: anybody's first data opens a connection",
    file: "src/utp/syn-cookies.ts",
    from: "if (distance >= 1 && distance <= OVERTAKING_MAX) return call;",
    to: "if (distance <= 0x8000) return call;",
    tests: ["test/utp/liars"],
  },
  {
    name: "utp: late news of a selective ack is a round trip",
    file: "src/utp/send-side.ts",
    from: "    if (packet.order > this.#arrived[0]!) {\n",
    to: "    {\n",
    tests: ["test/utp/short-acks"],
  },
  {
    name: "utp: trains go to a peer that has not asked for them",
    file: "src/utp/datagram-trains.ts",
    from: '#state: "off" | "trying" | "proven" = "off";\n  #bytesMax = 0;',
    to: '#state: "off" | "trying" | "proven" = "trying";\n  #bytesMax = 32768;',
    tests: ["test/utp/trains"],
  },
  {
    name: "utp: trains go on although they stopped arriving",
    file: "src/utp/datagram-trains.ts",
    from: '    if (this.#state === "proven") this.#fail(nowMs);\n',
    to: "    this.#lossAtMs = nowMs;\n",
    tests: ["src/utp/datagram-trains"],
  },
  {
    name: "utp: each packet of a lost train counts as a loss",
    file: "src/utp/send-side.ts",
    from: "!packet.isTrial && packet.order !== this.#countedLoss",
    to: "!packet.isTrial",
    tests: ["test/utp/trains"],
  },
  {
    name: "utp: a train of any number of packets is read",
    file: "src/utp/packet.ts",
    from: "  if (packetBytes < TRAIN_PACKET_BYTES_MIN) return false;\n",
    to: "",
    tests: ["test/utp/trains"],
  },
  {
    name: "udp: packets of the DHT go to uTP",
    file: "src/udp/packet-kind.ts",
    from: '  if (first === DICTIONARY) return "dht";\n',
    to: '  if (first === DICTIONARY) return "utp";\n',
    tests: ["src/udp"],
  },
  {
    name: "utp: one address takes the answers of all strangers",
    file: "src/utp/stranger-shares.ts",
    from: "    if (this.#counters[at]! >= OF_ADDRESS_PER_SECOND) return false;\n",
    to: "",
    tests: ["src/utp/stranger-shares"],
  },
];
