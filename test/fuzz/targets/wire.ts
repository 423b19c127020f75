import { concatBytes, fromHex } from "../../../src/base/bytes.ts";
import { boundsOf } from "../../../src/wire/piece-bounds.ts";
import { WireDecoder } from "../../../src/wire/wire-decoder.ts";
import { WireError } from "../../../src/wire/wire-error.ts";
import {
  decodeExtensionHandshake,
  encodeExtensionHandshake,
} from "../../../src/wire/extensions.ts";
import { decodeDontHave, encodeDontHave } from "../../../src/wire/donthave.ts";
import {
  encodeHashReject,
  encodeHashRequest,
  encodeHashes,
} from "../../../src/wire/hash-transfer.ts";
import { HandshakeDecoder, encodeHandshake } from "../../../src/wire/handshake.ts";
import {
  decodeMetadataMessage,
  encodeMetadataData,
  encodeMetadataRequest,
} from "../../../src/wire/ut-metadata.ts";
import { decodeHolepunch, encodeHolepunch } from "../../../src/wire/ut-holepunch.ts";
import { decodePex, encodePex, PEX_ENTRIES_MAX } from "../../../src/wire/ut-pex.ts";
import { RecordingSink } from "../../fixtures/recording-sink.ts";
import type { FuzzTarget } from "../target.ts";

const PIECES = 11;

/** One stream of many messages: choke, unchoke, interested, bitfield, have, request, piece, extended, reject. */
const STREAM = concatBytes(
  [
    "0000000100",
    "0000000101",
    "0000000102",
    "0000000305ffe0",
    "000000050400000003",
    "0000000d06000000010000000000004000",
    "0000000d0700000001000000000a0b0c0d",
    "000000061400646565",
    "0000000d10000000010000000000004000",
    "00000000",
    "000000050d00000001",
  ].map((hex) => fromHex(hex)!),
);

const RANGE = {
  piecesRoot: new Uint8Array(32).fill(0xab),
  baseLayer: 1,
  index: 4,
  length: 4,
  proofLayers: 3,
};

/** The three messages of BEP 52: four base hashes, two uncles. */
const HASHES = concatBytes([
  encodeHashRequest(RANGE),
  encodeHashes(RANGE, new Uint8Array(6 * 32).fill(7)),
  encodeHashReject(RANGE),
]);

/** The stream as a whole and cut at a position that the input selects: both must decode to the same. */
const stream: FuzzTarget = {
  name: "wire",
  corpus: [STREAM, HASHES],
  refusals: [WireError],
  run: (input) => {
    const cut = input.length === 0 ? 0 : input[0]! % input.length;
    const [whole, parts] = [new RecordingSink(), new RecordingSink()];
    const options = { fast: true, v2: true, bounds: boundsOf(PIECES) };
    let refused: unknown;
    try {
      new WireDecoder(whole, options).feed(input, input.length);
    } catch (error) {
      refused = error;
    }
    const decoder = new WireDecoder(parts, options);
    let refusedInParts: unknown;
    try {
      decoder.feed(input.subarray(0, cut), cut);
      decoder.feed(input.subarray(cut), input.length - cut);
    } catch (error) {
      refusedInParts = error;
    }
    const same = JSON.stringify(whole.calls) === JSON.stringify(parts.calls);
    if (!same) throw new Error("what is decoded depends on how the stream is cut");
    if ((refused === undefined) !== (refusedInParts === undefined)) {
      throw new Error("what is refused depends on how the stream is cut");
    }
    if (refused !== undefined) throw refused as Error;
  },
};

const handshake: FuzzTarget = {
  name: "wire-handshake",
  corpus: [
    encodeHandshake({
      infohash: new Uint8Array(20).fill(0xaa),
      peerId: new Uint8Array(20).fill(0x42),
      extended: true,
      fast: true,
      dht: false,
      v2: true,
    }),
  ],
  refusals: [WireError],
  run: (input) => {
    const decoder = new HandshakeDecoder();
    if (decoder.feed(input, input.length) > 68) throw new Error("takes more than a handshake");
  },
};

const extensions: FuzzTarget = {
  name: "wire-extensions",
  corpus: [
    encodeExtensionHandshake({
      messages: new Map([
        ["ut_metadata", 3],
        ["lt_donthave", 4],
      ]),
      client: "Everseed",
      requestQueue: 500,
      metadataSize: 31_235,
      listenPort: 6881,
    }),
  ],
  refusals: [WireError],
  run: (input) => {
    const { messages } = decodeExtensionHandshake(input);
    for (const id of messages.values()) if (id < 0 || id > 255) throw new Error(`id ${id}`);
  },
};

const metadata: FuzzTarget = {
  name: "wire-metadata",
  corpus: [encodeMetadataRequest(2), encodeMetadataData(0, 5, new Uint8Array(5))],
  refusals: [WireError],
  run: (input) => {
    decodeMetadataMessage(input);
  },
};

const donthave: FuzzTarget = {
  name: "wire-donthave",
  corpus: [encodeDontHave(3)],
  refusals: [WireError],
  run: (input) => {
    if (decodeDontHave(input, PIECES) >= PIECES) throw new Error("a piece past the end");
  },
};

/** What is read is written again, in parts that fit a message, and read as the same. */
const holepunch: FuzzTarget = {
  name: "holepunch",
  corpus: [
    encodeHolepunch({ kind: "rendezvous", endpoint: { address: "9.9.9.9", port: 6881 }, error: 0 }),
    encodeHolepunch({ kind: "connect", endpoint: { address: "2001:db8::1", port: 1 }, error: 0 }),
    encodeHolepunch({ kind: "error", endpoint: { address: "9.9.9.9", port: 1 }, error: 3 }),
  ],
  refusals: [WireError],
  run: (input) => {
    const message = decodeHolepunch(input);
    const again = decodeHolepunch(encodeHolepunch(message));
    if (JSON.stringify(again) !== JSON.stringify(message)) throw new Error("no round trip");
  },
};

const pex: FuzzTarget = {
  name: "pex",
  corpus: [
    encodePex({
      added: [
        { endpoint: { address: "9.1.2.3", port: 6881 }, flags: 0x12 },
        { endpoint: { address: "2620:fe::9", port: 6882 }, flags: 4 },
      ],
      dropped: [
        { address: "9.1.2.5", port: 1 },
        { address: "2620:fe::8", port: 2 },
      ],
    }),
  ],
  refusals: [WireError],
  run: (input) => {
    const { added, dropped } = decodePex(input);
    const part = {
      added: added.slice(0, PEX_ENTRIES_MAX),
      dropped: dropped.slice(0, PEX_ENTRIES_MAX),
    };
    const first = decodePex(encodePex(part));
    if (first.added.length !== part.added.length) throw new Error("an entry was lost");
    if (JSON.stringify(decodePex(encodePex(first))) !== JSON.stringify(first)) {
      throw new Error("no round trip");
    }
  },
};

export const targets: readonly FuzzTarget[] = [
  stream,
  handshake,
  extensions,
  metadata,
  donthave,
  pex,
  holepunch,
];
