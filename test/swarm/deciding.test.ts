import assert from "node:assert/strict";
import { test } from "node:test";
import { isComplete, type JoinOptions, type SimPeer, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { ALLOWED_FAST_COUNT } from "../../src/wire/allowed-fast.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";

// Swarms in which one rule of BitTorrent decides: without it they fail, rather than just take longer.

const KIB = 1024;
const PIECE = 64 * KIB;

/** A leecher that joins with some of the pieces. */
async function joinWithPieces(
  swarm: SimSwarm,
  hasPiece: (piece: number) => boolean,
  options?: JoinOptions,
): Promise<SimPeer> {
  const node = await swarm.join(options);
  const { name, bytes } = swarm.made;
  const found = bytes.slice();
  for (let piece = 0; piece * PIECE < found.length; piece += 1) {
    if (!hasPiece(piece)) found.fill(0, piece * PIECE, (piece + 1) * PIECE);
  }
  node.disk.put(`/${name}/${name}`, found);
  return { node, run: node.leech(swarm.made, { existing: "own" }) };
}

test(
  "end game: the last blocks do not wait for the slowest peer",
  withSeed(62, async (seed, t) => {
    const size = 8 * MIB;
    const swarm = new SimSwarm({ seed, size });
    const fast = await swarm.joinSeed({ link: { upBytesPerSecond: 2 * MIB } });
    const slow = await swarm.joinSeed({ link: { upBytesPerSecond: 2 * KIB } });
    const leecher = await swarm.joinLeecher({ link: { downBytesPerSecond: 8 * MIB } });
    swarm.introduce([fast, slow, leecher]);
    const tookMs = swarm.runUntilComplete([leecher], 120_000);
    t.diagnostic(`${Math.round(tookMs ?? NaN)} ms`);
    // At best four seconds. One block of the slow peer takes eight.
    assert.ok(tookMs !== undefined && tookMs < 7_000, `${tookMs} ms`);
    assertWhole(swarm, leecher);
  }),
);

test(
  "rarest first: pieces that only a leaving seed has are fetched before it leaves",
  withSeed(63, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: 16 * MIB, pieceLength: PIECE });
    const isRare = (piece: number): boolean => piece % 4 === 1;
    const line = { link: { upBytesPerSecond: 512 * KIB } };
    const leaving = await swarm.joinSeed(line);
    const staying: SimPeer[] = [];
    for (let i = 0; i < 3; i += 1) {
      staying.push(await joinWithPieces(swarm, (piece) => !isRare(piece), line));
    }
    const leecher = await swarm.joinLeecher({ link: { downBytesPerSecond: 8 * MIB } });
    swarm.introduce([...staying, leecher]);
    leecher.run.torrent.addPeers([leaving.node.address]);
    // The seed can send 5.5 MiB in this time. The 4 MiB that no other peer has are a quarter of the content.
    swarm.simulation.runFor(11_000);
    leaving.node.host.goOffline();
    const tookMs = swarm.runUntilComplete([leecher, ...staying], 60_000);
    const { doneBytes } = leecher.run.torrent.stats();
    t.diagnostic(`${doneBytes / MIB} MiB`);
    assert.ok(tookMs !== undefined, `${doneBytes} bytes, and nobody has the rest any more`);
    for (const peer of [leecher, ...staying]) assertWhole(swarm, peer);
  }),
);

test(
  "optimistic unchokes: a newcomer with nothing is served beside peers that give and want more than there is",
  withSeed(64, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: 32 * MIB, pieceLength: PIECE });
    // The server wants half of the pieces, of which each giver has its part, and all givers want the other half. Its line
    // feeds as many as there are givers: no slot is added for the newcomer.
    const giverCount = 8;
    const isThere = (piece: number): boolean => piece % 2 === 0;
    const link = { upBytesPerSecond: 256 * KIB, downBytesPerSecond: 8 * MIB };
    const server = await joinWithPieces(swarm, isThere, { link, settings: { uploadSlots: 2 } });
    const givers: SimPeer[] = [];
    for (let i = 0; i < giverCount; i += 1) {
      const hasPiece = (piece: number): boolean =>
        !isThere(piece) && (piece >> 1) % giverCount === i;
      givers.push(
        await joinWithPieces(swarm, hasPiece, { settings: { upBytesPerSecond: 16 * KIB } }),
      );
    }
    swarm.simulation.runFor(100);
    server.run.torrent.addPeers(givers.map(({ node }) => node.address));
    swarm.simulation.runFor(25_000);
    const newcomer = await swarm.joinLeecher();
    swarm.simulation.runFor(100);
    newcomer.run.torrent.addPeers([server.node.address]);
    swarm.simulation.runFor(80_000);
    const pieces = newcomer.run.torrent.stats().doneBytes / PIECE;
    t.diagnostic(`${pieces} pieces`);
    assert.ok(!isComplete(server), "a seed would serve it for nothing");
    // A newcomer may fetch ten without being unchoked (BEP 6).
    assert.ok(pieces >= 2 * ALLOWED_FAST_COUNT, `${pieces} pieces`);
  }),
);
