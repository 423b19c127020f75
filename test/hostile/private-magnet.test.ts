import assert from "node:assert/strict";
import { test } from "node:test";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import type { PeerSource } from "../../src/engine/session-contract.ts";
import { frames, listenAs, type Script } from "./raw-peer.ts";
import { leech, type Made, magnetOf, makeTorrent, PIECE, startEngine } from "./world.ts";

/** Gives the info dictionary to everybody, also that of a private torrent, as libtorrent does. */
function indiscreet({ infohash, metainfo }: Made): Script {
  const info = metainfo.info.infoBytes;
  const offer = dictOf({ m: new Map([["ut_metadata", 7]]), metadata_size: info.length });
  const head = encode(dictOf({ msg_type: 1, piece: 0, total_size: info.length }));
  return {
    infohash,
    flags: { extended: true },
    ready: (peer) => peer.send(frames.extended(0, encode(offer))),
    extended: (peer, id) => {
      if (id === 7) peer.send(frames.extended(1, Buffer.concat([head, info])));
    },
  };
}

for (const isPrivate of [true, false]) {
  test(
    `BEP 27: peer sources hear of a magnet link's metadata, private: ${isPrivate}`,
    { timeout: 30_000 },
    async (t) => {
      const made = await makeTorrent(t, { files: PIECE, private: isPrivate });
      const peer = await listenAs(t, indiscreet(made));
      const told: [event: string, isPrivate: boolean][] = [];
      const source: PeerSource = {
        attach: (swarm) => {
          const tell = (event: string) => told.push([event, swarm.private()]);
          tell("attach");
          return {
            handleMetadata: () => void tell("metadata"),
            handleComplete: () => void tell("complete"),
            detach: async () => void tell("detach"),
          };
        },
      };
      const engine = await startEngine(t);
      const download = leech(t, engine, made, {
        from: magnetOf(made),
        peers: [peer],
        sources: [source],
      });
      await download.when("state", ({ state }) => state.kind === "downloading");
      await engine.session.close();
      assert.deepEqual(told, [
        ["attach", false],
        ["metadata", isPrivate],
        ["detach", isPrivate],
      ]);
    },
  );
}
