import { equalBytes, fromLatin1 } from "../../../src/base/bytes.ts";
import { DhtError } from "../../../src/dht/dht-error.ts";
import { DEFAULT_NODE_SETTINGS, DhtNode } from "../../../src/dht/dht-node.ts";
import { encodeFailure, encodeQuery, encodeReply } from "../../../src/dht/encode-krpc.ts";
import { decodeKrpc, PACKET_BYTES_MAX, TRANSACTION_BYTES_MAX } from "../../../src/dht/krpc.ts";
import { NodeStores } from "../../../src/dht/node-stores.ts";
import { OuterAddress } from "../../../src/base/outer-address.ts";
import { decodeState, encodeState } from "../../../src/dht/saved-state.ts";
import { seededRandom } from "../../../src/sim/seeded-random.ts";
import type { FuzzTarget } from "../target.ts";

const ID = fromLatin1("abcdefghij0123456789");
const T = fromLatin1("aa");
const FROM = { address: "11.2.3.4", port: 6881 };

const query = (method: string, args: Record<string, Uint8Array | number | string[]>): Uint8Array =>
  encodeQuery({ transaction: T, method, args: { id: ID, ...args }, readOnly: false });

const PACKETS = [
  query("ping", {}),
  query("find_node", { target: ID, want: ["n4", "n6"] }),
  query("get_peers", { info_hash: ID, scrape: 1, noseed: 1 }),
  query("announce_peer", { info_hash: ID, port: 80, implied_port: 1, token: ID, seed: 1 }),
  query("get", { target: ID, seq: 7 }),
  query("sample_infohashes", { target: ID }),
  query("put", {
    token: ID,
    k: new Uint8Array(32),
    sig: new Uint8Array(64),
    seq: 1,
    salt: T,
    v: fromLatin1("d2:ih20:aaaaaaaaaaaaaaaaaaaae"),
  }),
  encodeReply({
    transaction: T,
    results: { id: ID, nodes: new Uint8Array(52).fill(11), token: T, values: [new Uint8Array(6)] },
    to: FROM,
  }),
  encodeFailure({ transaction: T, code: 203, text: "no" }),
];

const krpc: FuzzTarget = {
  name: "krpc",
  corpus: PACKETS,
  refusals: [DhtError],
  run: (input) => {
    const { transaction } = decodeKrpc(input);
    if (transaction.length > TRANSACTION_BYTES_MAX) throw new Error("a long transaction id");
    if (input.length > PACKET_BYTES_MAX) throw new Error("a long packet");
  },
};

/** A whole node takes the packet: nothing may throw, and every answer is a message that goes back to whoever asked. */
const node: FuzzTarget = {
  name: "dht-node",
  corpus: PACKETS,
  refusals: [DhtError],
  run: (input) => {
    const random = seededRandom(1);
    const signatures = {
      keyFromSeed: () => ({ publicKey: ID, sign: () => ID }),
      // Half of all signatures are right.
      verify: (message: Uint8Array) => message.length % 2 === 0,
    };
    const machine = new DhtNode(
      {
        family: 4,
        id: random.bytes(20),
        random,
        settings: DEFAULT_NODE_SETTINGS,
        stores: new NodeStores({ random, signatures }, 0),
        outer: new OuterAddress(),
        otherTable: () => undefined,
      },
      0,
    );
    machine.handlePacket(input, FROM, 0);
    for (const output of machine.takeOutputs()) {
      if (output.kind === "tell") output.tell();
      else if (output.to !== FROM || decodeKrpc(output.packet).kind === "query") {
        throw new Error("a packet to somebody else");
      }
    }
  },
};

const state: FuzzTarget = {
  name: "dht-state",
  corpus: [
    encodeState(
      new Map([[4, { id: ID, outer: "11.1.1.1", contacts: [{ id: ID, endpoint: FROM }] }]]),
    ),
  ],
  refusals: [DhtError],
  run: (input) => {
    const read = encodeState(decodeState(input));
    if (!equalBytes(encodeState(decodeState(read)), read)) throw new Error("no round trip");
  },
};

export const targets: readonly FuzzTarget[] = [krpc, node, state];
