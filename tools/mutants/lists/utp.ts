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
    name: "udp: packets of the DHT go to uTP",
    file: "src/udp/packet-kind.ts",
    from: '  if (first === DICTIONARY) return "dht";\n',
    to: '  if (first === DICTIONARY) return "utp";\n',
    tests: ["src/udp"],
  },
];
