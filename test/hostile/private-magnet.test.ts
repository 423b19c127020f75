import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../../src/base/peer-address.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import type { PeerSource, SwarmView } from "../../src/engine/session-contract.ts";
import { peerExchange } from "../../src/pex/peer-exchange.ts";
import { decodeExtensionHandshake } from "../../src/wire/extensions.ts";
import { UT_PEX } from "../../src/wire/ut-pex.ts";
import { frames, listenAs, type Script } from "./raw-peer.ts";
import { until } from "../fixtures/until.ts";
import { leech, type Made, magnetOf, makeTorrent, PIECE, startEngine } from "./world.ts";

/** Gives the info dictionary to everybody, even that of a private torrent, as libtorrent does. */
function indiscreet(
  { infohash, metainfo }: Made,
  handleOffer: (id: number | undefined) => void = () => undefined,
): Script {
  const info = metainfo.info.infoBytes;
  const offer = dictOf({ m: new Map([["ut_metadata", 7]]), metadata_size: info.length });
  const head = encode(dictOf({ msg_type: 1, piece: 0, total_size: info.length }));
  return {
    infohash,
    flags: { extended: true },
    ready: (peer) => peer.send(frames.extended(0, encode(offer))),
    extended: (peer, id, payload) => {
      if (id === 0) handleOffer(decodeExtensionHandshake(payload).messages.get(UT_PEX));
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
      offer([tcpAddress({ address: "127.0.0.9", port: 6889 })]);
      assert.deepEqual(told, ["attach", isPrivate ? "detach" : "metadata"]);
      assert.equal(download.torrent.peers().length, isPrivate ? 0 : 1);
      assert.equal(download.torrent.stats().knownPeers, isPrivate ? 0 : 2);
      await engine.session.close();
      assert.equal(told.filter((word) => word === "detach").length, 1);
    },
  );
}

for (const isPrivate of [true, false]) {
  test(
    `BEP 27: peer exchange is taken back when the metadata says so, private: ${isPrivate}`,
    { timeout: 30_000 },
    async (t) => {
      const made = await makeTorrent(t, { files: PIECE, private: isPrivate });
      const offers: (number | undefined)[] = [];
      const script = indiscreet(made, (id) => void offers.push(id));
      const [first, second] = [await listenAs(t, script), await listenAs(t, script)];
      const extensions = [peerExchange({ judgePeers: (peers) => peers })];
      const engine = await startEngine(t);
      const download = leech(t, engine, made, { from: magnetOf(made), peers: [first], extensions });
      await download.when("state", ({ state }) => state.kind === "downloading");
      await until("it is told", () => offers.length === (isPrivate ? 2 : 1));
      download.torrent.addPeers([second]);
      await until("the second peer is greeted", () => offers.length === (isPrivate ? 3 : 2));
      const [before, ...after] = offers;
      assert.ok(before! > 0, "it is offered as long as nothing is known");
      if (isPrivate) assert.deepEqual(after, [0, undefined]);
      else assert.deepEqual(after, [before]);
    },
  );
}
