import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RecordingSink } from "../../test/fixtures/recording-sink.ts";
import { concatBytes, fromHex, writeUint32 } from "../base/bytes.ts";
import {
  encodeBitfield,
  encodeExtended,
  encodePort,
  writeAllowedFast,
  writeCancel,
  writeHave,
  writeKeepAlive,
  writePieceHead,
  writeReject,
  writeRequest,
  writeSignal,
  writeSuggest,
} from "./encode-messages.ts";
import { encodeHashReject, encodeHashRequest, encodeHashes } from "./hash-transfer.ts";
import { MESSAGE } from "./message-id.ts";
import { boundsOf, UNKNOWN_BOUNDS } from "./piece-bounds.ts";
import { WireDecoder, type WireDecoderOptions } from "./wire-decoder.ts";
import { WireError, type WireErrorCode } from "./wire-error.ts";

const FAST = { fast: true, bounds: boundsOf(11) };

function hex(text: string): Uint8Array {
  const bytes = fromHex(text.replaceAll(" ", ""));
  assert.ok(bytes, `hexadecimal: ${text}`);
  return bytes;
}

/** Feeds chunks of the given size, each in a dirty reused buffer, as sockets do. */
function feedChunks(decoder: WireDecoder, stream: Uint8Array, chunkBytes: number): void {
  const buffer = new Uint8Array(chunkBytes + 7).fill(0xee);
  for (let offset = 0; offset < stream.length; offset += chunkBytes) {
    const part = stream.subarray(offset, offset + chunkBytes);
    buffer.set(part);
    decoder.feed(buffer, part.length);
  }
}

function callsOf(
  stream: Uint8Array,
  options: WireDecoderOptions,
  chunkBytes = stream.length,
): string[] {
  const sink = new RecordingSink();
  feedChunks(new WireDecoder(sink, options), stream, chunkBytes);
  return sink.calls;
}

function wireErrorCode(run: () => void): WireErrorCode | undefined {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    return error.code;
  }
  return undefined;
}

const REFUSED: readonly {
  id: string;
  what: string;
  stream: string;
  code: WireErrorCode;
  options?: WireDecoderOptions;
}[] = [
  { id: "WIR-1", what: "2^32-1 bytes, no id yet", stream: "ffffffff", code: "frame-too-long" },
  { id: "WIR-1", what: "2^21 bytes, no id yet", stream: "00200000", code: "frame-too-long" },
  { id: "WIR-1", what: "piece of 2^32-1 bytes", stream: "ffffffff 07", code: "frame-too-long" },
  { id: "WIR-1", what: "extended of 2^31 bytes", stream: "80000000 14", code: "frame-too-long" },
  { id: "WIR-1", what: "unknown id of 64 MiB", stream: "04000000 63", code: "frame-too-long" },
  { id: "WIR-1", what: "piece of 128 KiB + 1", stream: "0002000a 07", code: "frame-too-long" },
  { id: "WIR-1", what: "choke of 64 MiB", stream: "04000000 00", code: "frame-too-long" },
  { id: "WIR-1", what: "hashes of 1 MiB", stream: "00100011 16", code: "frame-too-long" },
  {
    id: "WIR-1",
    what: "bitfield of 64 MiB, pieces unknown",
    stream: "04000000 05",
    code: "frame-too-long",
    options: { fast: true },
  },
  { id: "WIR-4", what: "bitfield too short", stream: "00000002 05", code: "bad-bitfield" },
  { id: "WIR-4", what: "bitfield too long", stream: "00000004 05", code: "bad-bitfield" },
  { id: "WIR-4", what: "spare bits", stream: "00000003 05 ffe1", code: "bad-bitfield" },
  { id: "WIR-4", what: "have 11 of 11", stream: "00000005 04 0000000b", code: "bad-index" },
  { id: "WIR-4", what: "have 2^32-1", stream: "00000005 04 ffffffff", code: "bad-index" },
  { id: "WIR-4", what: "suggest 11 of 11", stream: "00000005 0d 0000000b", code: "bad-index" },
  { id: "WIR-4", what: "allowed fast 11 of 11", stream: "00000005 11 0000000b", code: "bad-index" },
  {
    id: "WIR-5",
    what: "request of piece 11",
    stream: "0000000d 06 0000000b 00000000 00004000",
    code: "bad-index",
  },
  {
    id: "WIR-5",
    what: "cancel of piece 11",
    stream: "0000000d 08 0000000b 00000000 00004000",
    code: "bad-index",
  },
  { id: "WIR-5", what: "request of 12 bytes", stream: "0000000c 06", code: "bad-length" },
  { id: "WIR-16", what: "piece without a block", stream: "00000009 07", code: "bad-length" },
  { id: "WIR-16", what: "piece cut short", stream: "00000008 07", code: "bad-length" },
  {
    id: "WIR-16",
    what: "block of piece 11",
    stream: "0000000a 07 0000000b 00000000 aa",
    code: "bad-index",
  },
  {
    id: "WIR-17",
    what: "have-all, then have-none",
    stream: "00000001 0e 00000001 0f",
    code: "contradiction",
  },
  {
    id: "WIR-17",
    what: "bitfield, then have-none",
    stream: "00000003 05 ffe0 00000001 0f",
    code: "contradiction",
  },
  {
    id: "WIR-17",
    what: "have-none after a request",
    stream: "0000000d 06 00000001 00000000 00004000 00000001 0f",
    code: "bitfield-not-first",
  },
  ...["00000001 0e", "00000001 0f", "00000005 0d 00000001", "00000005 11 00000001"].map(
    (stream) => ({
      id: "WIR-17",
      what: `${stream} without the fast extension`,
      stream,
      code: "fast-not-negotiated" as const,
      options: { fast: false, bounds: boundsOf(11) },
    }),
  ),
  {
    id: "WIR-17",
    what: "reject without the fast extension",
    stream: "0000000d 10 00000001 00000000 00004000",
    code: "fast-not-negotiated",
    options: { fast: false, bounds: boundsOf(11) },
  },
  {
    id: "WIR-17",
    what: "reject of piece 11",
    stream: "0000000d 10 0000000b 00000000 00004000",
    code: "bad-index",
  },
  { id: "WIR-9", what: "extended without an id", stream: "00000001 14", code: "bad-length" },
  { id: "WIR-18", what: "hash request of 50 bytes", stream: "00000032 15", code: "bad-length" },
  { id: "WIR-18", what: "hashes of 49 + 31 bytes", stream: "00000050 16", code: "bad-length" },
  { id: "WIR-4", what: "port of 2 bytes", stream: "00000002 09", code: "bad-length" },
];

for (const { id, what, stream, code, options = FAST } of REFUSED) {
  test(`${id}: refuses ${what}`, () => {
    for (const chunkBytes of [1, 4, 5, 4096]) {
      const decoder = new WireDecoder(new RecordingSink(), options);
      const run = (): void => feedChunks(decoder, hex(stream), chunkBytes);
      assert.equal(wireErrorCode(run), code, `in chunks of ${chunkBytes}`);
    }
  });
}

test("WIR-1: a length alone reserves no memory", () => {
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 64 }, () => {
    const decoder = new WireDecoder(new RecordingSink(), { fast: true });
    decoder.feed(hex("00100001 05 00"), 6);
    return decoder;
  });
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_048_576);
  assert.equal(decoders.length, 64);
});

test("after an error no more messages are delivered", () => {
  const sink = new RecordingSink();
  const decoder = new WireDecoder(sink, FAST);
  assert.throws(() => decoder.feed(hex("00000001 00 00000002 00"), 10), WireError);
  decoder.feed(hex("00000001 01"), 5);
  assert.deepEqual(sink.calls, ["choke"]);
});

test("stop between two messages of one chunk", () => {
  for (const last of ["choke", "begin 1 0 1"]) {
    const sink = new RecordingSink();
    const decoder = new WireDecoder(sink, FAST);
    sink.afterCall = (call) => {
      if (call === last) decoder.stop();
    };
    const stream = hex("00000001 00 0000000a 07 00000001 00000000 aa 00000001 01");
    decoder.feed(stream, stream.length);
    assert.equal(sink.calls.at(-1), last);
  }
});

test("a bitfield may follow extended, port and state messages", () => {
  const stream = hex("00000002 14 00 00000003 09 1ae1 00000001 02 00000003 05 ffe0");
  assert.deepEqual(callsOf(stream, FAST), [
    "extended 0 ",
    "port 6881",
    "interested",
    "bitfield ffe0",
  ]);
});

test("unknown messages are skipped, whatever their length", () => {
  const stream = concatBytes([hex("00000001 63 00000009 63 0102030405060708 00000001 01")]);
  assert.deepEqual(callsOf(stream, FAST), ["unchoke"]);
  assert.deepEqual(callsOf(stream, FAST, 1), ["unchoke"]);
});

test("a block that the sink refuses is dropped, and the stream goes on", () => {
  const sink = new RecordingSink();
  sink.keepBlocks = false;
  const decoder = new WireDecoder(sink, FAST);
  feedChunks(decoder, hex("0000000b 07 00000001 00004000 aabb 00000001 01"), 3);
  assert.deepEqual(sink.calls, ["begin 1 16384 2", "end 1 16384 2 dropped", "unchoke"]);
});

test("reject needs no fast extension on a v2 connection", () => {
  const stream = hex("0000000d 10 00000001 00000000 00004000");
  assert.deepEqual(callsOf(stream, { fast: false, v2: true, bounds: boundsOf(11) }), [
    "reject 1 0 16384",
  ]);
});

test("while the piece count is unknown, indexes pass; later they are checked", () => {
  const sink = new RecordingSink();
  const bounds = { ...UNKNOWN_BOUNDS };
  const decoder = new WireDecoder(sink, { fast: true, bounds });
  decoder.feed(hex("00000002 05 ff 00000005 04 00000064"), 15);
  assert.deepEqual(sink.calls, ["bitfield ff", "have 100"]);
  Object.assign(bounds, boundsOf(8));
  assert.throws(() => decoder.feed(hex("00000005 04 00000064"), 9), { code: "bad-index" });
});

/** Each message that names a piece, without its number. */
const NUMBERED: readonly { name: string; head: string; tail: string; side: "wanted" | "served" }[] =
  [
    { name: "have", head: "00000005 04", tail: "", side: "wanted" },
    { name: "suggest", head: "00000005 0d", tail: "", side: "wanted" },
    { name: "allowed-fast", head: "00000005 11", tail: "", side: "wanted" },
    { name: "begin", head: "0000000a 07", tail: "00000000 aa", side: "wanted" },
    { name: "reject", head: "0000000d 10", tail: "00000000 00004000", side: "wanted" },
    { name: "request", head: "0000000d 06", tail: "00000000 00004000", side: "served" },
    { name: "cancel", head: "0000000d 08", tail: "00000000 00004000", side: "served" },
  ];

test("each direction has a bound of its own: 5 for what we fetch, 9 for what the peer fetches", () => {
  for (const { name, head, tail, side } of NUMBERED) {
    const bound = { wanted: 5, served: 9 }[side];
    const options = { fast: true, bounds: { wanted: 5, served: 9 } };
    for (let piece = 0; piece <= 10; piece += 1) {
      const stream = hex(`${head} ${piece.toString(16).padStart(8, "0")} ${tail}`);
      const refused = wireErrorCode(() => {
        const [call] = callsOf(stream, options);
        assert.match(call!, new RegExp(`^${name} ${piece}\\b`));
      });
      assert.equal(refused, piece < bound ? undefined : "bad-index", `${name} ${piece}`);
    }
  }
  assert.deepEqual(
    callsOf(hex("00000002 05 f8"), { fast: true, bounds: { wanted: 5, served: 9 } }),
    ["bitfield f8"],
  );
});

test("where numbers have no end, nobody states all of them, however high the bound is", () => {
  const bounds = { wanted: 2 ** 32, served: 2 ** 32 };
  const options = { fast: true, bounds, openEnded: true };
  for (const stream of ["00000001 0e", "00000002 05 ff"]) {
    assert.equal(
      wireErrorCode(() => callsOf(hex(stream), options)),
      "bad-bitfield",
      stream,
    );
  }
  assert.equal(
    wireErrorCode(() => callsOf(hex("20000001 05"), options)),
    "frame-too-long",
  );
  assert.deepEqual(callsOf(hex("00000001 0f 00000005 04 fffffffe"), options), [
    "have-none",
    "have 4294967294",
  ]);
});

test("a bound that is raised holds for the next message", () => {
  const bounds = { wanted: 5, served: 5 };
  const sink = new RecordingSink();
  const decoder = new WireDecoder(sink, { fast: true, bounds });
  decoder.feed(hex("00000005 04 00000004"), 9);
  bounds.wanted = 6;
  decoder.feed(hex("00000005 04 00000005"), 9);
  assert.deepEqual(sink.calls, ["have 4", "have 5"]);
  const request = hex("0000000d 06 00000005 00000000 00004000");
  assert.throws(() => decoder.feed(request, request.length), { code: "bad-index" });
});

test("an empty torrent has a bitfield without bytes", () => {
  assert.deepEqual(callsOf(hex("00000001 05"), { fast: false, bounds: boundsOf(0) }), [
    "bitfield ",
  ]);
});

const range = {
  piecesRoot: new Uint8Array(32).fill(0xab),
  baseLayer: 1,
  index: 4,
  length: 4,
  proofLayers: 3,
};
const rangeText = `${"ab".repeat(32)} 1 4 4 3`;
const blockAddress = { piece: 3, begin: 16_384, length: 16_384 };

function written(bytes: number, write: (target: Uint8Array, offset: number) => number): Uint8Array {
  const target = new Uint8Array(bytes + 2);
  assert.equal(write(target, 1), bytes + 1, "returns the offset after what it wrote");
  return target.subarray(1, bytes + 1);
}

/** Every message: our encoding, and the calls that the other side's decoder makes. */
const MESSAGES: readonly { frame: Uint8Array; calls: readonly string[] }[] = [
  { frame: encodeBitfield(hex("ffe0")), calls: ["bitfield ffe0"] },
  { frame: written(4, writeKeepAlive), calls: ["keep-alive"] },
  { frame: written(5, (t, o) => writeSignal(t, o, MESSAGE.choke)), calls: ["choke"] },
  { frame: written(5, (t, o) => writeSignal(t, o, MESSAGE.unchoke)), calls: ["unchoke"] },
  { frame: written(5, (t, o) => writeSignal(t, o, MESSAGE.interested)), calls: ["interested"] },
  {
    frame: written(5, (t, o) => writeSignal(t, o, MESSAGE.notInterested)),
    calls: ["not-interested"],
  },
  { frame: written(9, (t, o) => writeHave(t, o, 10)), calls: ["have 10"] },
  {
    frame: written(17, (t, o) => writeRequest(t, o, blockAddress)),
    calls: ["request 3 16384 16384"],
  },
  {
    frame: written(17, (t, o) => writeCancel(t, o, blockAddress)),
    calls: ["cancel 3 16384 16384"],
  },
  {
    frame: written(17, (t, o) => writeReject(t, o, blockAddress)),
    calls: ["reject 3 16384 16384"],
  },
  {
    frame: concatBytes([
      written(13, (t, o) => writePieceHead(t, o, { piece: 3, begin: 0, length: 3 })),
      hex("010203"),
    ]),
    calls: ["begin 3 0 3", "end 3 0 3 010203"],
  },
  { frame: encodePort(6881), calls: ["port 6881"] },
  { frame: written(9, (t, o) => writeSuggest(t, o, 2)), calls: ["suggest 2"] },
  { frame: written(9, (t, o) => writeAllowedFast(t, o, 2)), calls: ["allowed-fast 2"] },
  { frame: encodeExtended(3, hex("6465")), calls: ["extended 3 6465"] },
  { frame: encodeHashRequest(range), calls: [`hash-request ${rangeText}`] },
  { frame: encodeHashReject(range), calls: [`hash-reject ${rangeText}`] },
  {
    frame: encodeHashes(range, new Uint8Array(6 * 32).fill(7)),
    calls: [`hashes ${rangeText} ${"07".repeat(192)}`],
  },
];

test("every message we encode is decoded to the same message", () => {
  for (const { frame, calls } of MESSAGES) assert.deepEqual(callsOf(frame, FAST), calls);
  const haveAll = written(5, (t, o) => writeSignal(t, o, MESSAGE.haveAll));
  assert.deepEqual(callsOf(haveAll, FAST), ["have-all"]);
  const haveNone = written(5, (t, o) => writeSignal(t, o, MESSAGE.haveNone));
  assert.deepEqual(callsOf(haveNone, FAST), ["have-none"]);
});

test("any split of a stream into chunks gives the same calls", () => {
  const block = new Uint8Array(13 + 700).map((_, index) => index);
  writePieceHead(block, 0, { piece: 5, begin: 32_768, length: 700 });
  const unknown = new Uint8Array(90);
  writeUint32(unknown, 0, 86);
  unknown[4] = 99;
  const [bitfield, ...rest] = MESSAGES.map((message) => message.frame);
  assert.ok(bitfield);
  const frames = [...rest, block, unknown];
  fc.assert(
    fc.property(
      fc.array(fc.nat(frames.length - 1), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 50 }),
      (order, cuts) => {
        const stream = concatBytes([bitfield, ...order.map((index) => frames[index]!)]);
        const sink = new RecordingSink();
        const decoder = new WireDecoder(sink, FAST);
        for (let offset = 0, cut = 0; offset < stream.length; cut += 1) {
          const part = stream.slice(offset, offset + cuts[cut % cuts.length]!);
          decoder.feed(part, part.length);
          offset += part.length;
        }
        assert.deepEqual(sink.calls, callsOf(stream, FAST));
      },
    ),
    { seed: 7, numRuns: 200 },
  );
});
