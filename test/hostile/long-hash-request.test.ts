import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHashRequest } from "../../src/wire/hash-transfer.ts";
import { dial } from "./raw-peer.ts";
import { makeTorrent, startSeed } from "./world.ts";

const MIB = 1024 * 1024;

test(
  "WIR-18: a peer that requests all leaves of a piece of 16 MiB at once gets no answer, and stays connected",
  { timeout: 30_000 },
  async (t) => {
    const made = await makeTorrent(t, { files: 20 * MIB, kind: "v2", pieceLength: 16 * MIB });
    const { endpoint } = await startSeed(t, made);
    const { piecesRoot } = made.metainfo.info.files[0]!;
    const range = { piecesRoot: piecesRoot!, baseLayer: 0, index: 0, proofLayers: 0 };
    const lengths: string[] = [];
    await new Promise<void>((resolve) => {
      dial(t, endpoint, {
        infohash: made.infohash,
        flags: { extended: false, fast: true, dht: false, v2: true },
        ready: (peer) => {
          for (const length of [1024, 512]) peer.send(encodeHashRequest({ ...range, length }));
        },
        hashReject: (_peer, { length }) => lengths.push(`rejected ${length}`),
        hashes: (_peer, { length }, hashes) => {
          lengths.push(`sent ${hashes.length / 32} of ${length}`);
          resolve();
        },
      });
    });
    assert.deepEqual(lengths, ["sent 512 of 512"]);
  },
);
