import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHashRequest } from "../../src/wire/hash-transfer.ts";
import { dial } from "./raw-peer.ts";
import { makeTorrent, startSeed } from "./world.ts";

const MIB = 1024 * 1024;

test(
  "WIR-18: the leaves of a piece of 16 MiB at once are rejected, and the connection stays",
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
        ready: (peer) => peer.send(encodeHashRequest({ ...range, length: 1024 })),
        hashReject: (peer, { length }) => {
          lengths.push(`rejected ${length}`);
          peer.send(encodeHashRequest({ ...range, length: 512 }));
        },
        hashes: (_peer, { length }, hashes) => {
          lengths.push(`sent ${hashes.length / 32} of ${length}`);
          resolve();
        },
      });
    });
    assert.deepEqual(lengths, ["rejected 1024", "sent 512 of 512"]);
  },
);
