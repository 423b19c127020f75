import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../../src/base/peer-address.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import type { PeerSource, SwarmView } from "../../src/engine/session-contract.ts";
import { frames, listenAs, type Script } from "./raw-peer.ts";
import { leech, type Made, magnetOf, makeTorrent, PIECE, startEngine } from "./world.ts";

/** Gives the info dictionary to everybody, even that of a private torrent, as libtorrent does. */
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
        kind: "tracker",
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

for (const isPrivate of [true, false]) {
  test(
    `BEP 27: what a source found that is no tracker is dropped with it, private: ${isPrivate}`,
    { timeout: 30_000 },
    async (t) => {
      const made = await makeTorrent(t, { files: PIECE, private: isPrivate });
      const peer = await listenAs(t, indiscreet(made));
      const told: string[] = [];
      let offer: SwarmView["offerPeers"] = () => undefined;
      const source: PeerSource = {
        kind: "dht",
        attach: (swarm) => {
          told.push("attach");
          offer = swarm.offerPeers;
          offer([peer]);
          return {
            handleMetadata: () => void told.push("metadata"),
            handleComplete: () => void told.push("complete"),
            detach: async () => void told.push("detach"),
          };
        },
      };
      const engine = await startEngine(t);
      const download = leech(t, engine, made, { from: magnetOf(made), sources: [source] });
      await download.when("state", ({ state }) => state.kind === "downloading");
      offer([tcpAddress({ address: "127.0.0.9", port: 9 })]);
      assert.deepEqual(told, ["attach", isPrivate ? "detach" : "metadata"]);
      assert.equal(download.torrent.peers().length, isPrivate ? 0 : 1);
      assert.equal(download.torrent.stats().knownPeers, isPrivate ? 0 : 2);
      await engine.session.close();
      assert.equal(told.filter((word) => word === "detach").length, 1);
    },
  );
}
