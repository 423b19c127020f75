// The picker alone, by hand: tools/run node bench/picker.ts. 100,000 pieces, 200 peers, one thread.
import { Bitfield } from "../src/base/bitfield.ts";
import { BLOCK_BYTES, Geometry } from "../src/base/geometry.ts";
import type { PeerKey } from "../src/engine/picker/peer-key.ts";
import { SOONEST_MAX } from "../src/engine/picker/deadlines.ts";
import { PiecePicker } from "../src/engine/picker/piece-picker.ts";
import { seededRandom } from "../src/sim/seeded-random.ts";

const PIECES = 100_000;
const PEERS = 200;
const BLOCKS = 16;
const BATCH = 32;

/**
 * Runs `work` and prints the CPU time of one step in microseconds.
 *
 * @param work - @returns The number of steps it did.
 */
function measure(name: string, work: () => number): void {
  const begin = process.cpuUsage();
  const steps = work();
  const { user, system } = process.cpuUsage(begin);
  console.log(`${name.padEnd(58)} ${((user + system) / steps).toFixed(3).padStart(9)} us`);
}

function bitfield(share: number): Bitfield {
  const random = seededRandom(share);
  const bits = new Bitfield(PIECES);
  for (let piece = 0; piece < PIECES; piece += 1) if (random.below(100) < share) bits.add(piece);
  return bits;
}

/** A reader that reads a part of the torrent from its beginning to its end. */
interface Reader {
  readonly id: number;
  readonly end: number;
  first: number;
}

/** The pieces that a reader needs next, as `download/reads.ts` reports them: again after each piece it gets. */
function moveOn(picker: PiecePicker, reader: Reader, now: number): void {
  while (reader.first < reader.end && picker.state(reader.first) === "have") reader.first += 1;
  const { deadlines } = picker.urgent;
  if (reader.first === reader.end) {
    deadlines.clear(reader.id);
    return;
  }
  const end = Math.min(reader.end, reader.first + SOONEST_MAX);
  deadlines.set(reader.id, { first: reader.first, end, dueMs: now, msPerPiece: 100 }, now);
}

/** Every peer in turn requests a batch and delivers it, until the torrent is complete. */
function download(picker: PiecePicker, peers: readonly PeerKey[], readerCount: number): number {
  const out = { pieces: new Int32Array(BATCH), blocks: new Int32Array(BATCH) };
  let blocks = 0;
  const options = {
    canStart: () => true,
    whole: false,
    snubbed: false,
    soonBlocks: 0,
    silent: false,
    choked: false,
  };
  const share = Math.floor(PIECES / Math.max(1, readerCount));
  const readers = Array.from({ length: readerCount }, (_, id): Reader => {
    return { id, first: id * share, end: (id + 1) * share };
  });
  for (const reader of readers) moveOn(picker, reader, 0);
  while (!picker.complete) {
    for (const peer of peers) {
      const count = picker.pick(peer, BATCH, out, options);
      for (let i = 0; i < count; i += 1) {
        const piece = out.pieces[i]!;
        const block = out.blocks[i]!;
        if (!picker.begin(peer, piece, block)) continue;
        blocks += 1;
        if (!picker.received(peer, piece, block).pieceComplete) continue;
        picker.verdict(piece, true);
        for (const reader of readers) if (reader.first === piece) moveOn(picker, reader, blocks);
      }
    }
  }
  return blocks;
}

const geometry = new Geometry({
  pieceLength: BLOCKS * BLOCK_BYTES,
  files: [{ offset: 0, length: PIECES * BLOCKS * BLOCK_BYTES, pad: false }],
  aligned: false,
});

measure("a picker is made", () => {
  for (let i = 0; i < 5; i += 1) new PiecePicker(geometry, seededRandom(i));
  return 5;
});

/** Peers that have this part of the torrent each, and a seed. */
function swarmOf(picker: PiecePicker, share: number): { peers: PeerKey[]; bits: Bitfield[] } {
  const peers = Array.from({ length: PEERS }, (_, sender) => picker.peerJoined(sender));
  const bits = Array.from({ length: 16 }, (_, i) => bitfield(Math.min(100, share + i / 16)));
  return { peers, bits };
}

for (const share of [100, 60, 5]) {
  for (const readerCount of [0, 2, 16]) {
    const picker = new PiecePicker(geometry, seededRandom(1));
    const { peers, bits } = swarmOf(picker, share);
    const takeIn = (): number => {
      for (const [i, peer] of peers.entries()) picker.peerHas(peer, bits[i % bits.length]!);
      return PEERS;
    };
    if (readerCount === 0) measure(`peers have ${share} %: a bitfield is taken in`, takeIn);
    else takeIn();
    const random = seededRandom(2);
    const tellHave = (): number => {
      for (let i = 0; i < 100_000; i += 1) {
        picker.peerHave(peers[random.below(PEERS)]!, random.below(PIECES));
      }
      return 100_000;
    };
    if (readerCount === 0) measure(`peers have ${share} %: a have message`, tellHave);
    else tellHave();
    const seed = picker.peerJoined(PEERS);
    picker.peerHasAll(seed);
    const name = `peers have ${share} %, ${readerCount} readers: a block asked for to judged`;
    measure(name, () => download(picker, [...peers, seed], readerCount));
    if (readerCount > 0) continue;
    measure(`peers have ${share} %: a peer goes`, () => {
      for (const peer of peers) picker.peerGone(peer);
      return PEERS;
    });
  }
}
