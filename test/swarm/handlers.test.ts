import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineTorrent, TorrentEvent } from "../../src/engine/session-contract.ts";
import { wireInfohash } from "../../src/base/infohash.ts";
import { isComplete, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";

const CALLS_MAX = 30;

test(
  "an owner may call every method of session and torrent from inside onEvent",
  withSeed(90, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB, kind: "hybrid" });
    const { simulation, made, random } = swarm;
    const first = await swarm.joinSeed();
    const node = await swarm.join();
    const other = makeSimTorrent({ random, name: "o", size: MIB, pieceLength: 65_536, kind: "v1" });
    const { session } = node;
    const calls: TorrentEvent["kind"][] = [];
    const removals: Promise<void>[] = [];
    let isInside = false;
    let isAdded = false;
    let added: EngineTorrent | undefined;

    /** Everything a session and its torrent offer, the drastic ones included. */
    const callAll = (kind: TorrentEvent["kind"]): void => {
      assert.ok(!isInside, "an owner is never called inside a call of its own");
      isInside = true;
      calls.push(kind);
      session.setLimits({ downBytesPerSecond: 0, upBytesPerSecond: 0 });
      assert.ok(session.port > 0 && session.peerId.length === 20);
      for (const each of session.torrents()) {
        each.stats();
        each.peers();
        each.partialCopies();
        each.addPeers([first.node.address]);
        each.setLimits({ downBytesPerSecond: 0 });
        each.setWanted([false]);
        each.setWanted([true]);
      }
      const known = session.find(wireInfohash(made.metainfo.info.infohashes.v1!));
      assert.equal(known, torrent);
      if (added) removals.push(session.remove(added));
      const from = { metainfo: other.metainfo };
      added = session.add({ from, root: "/o", mode: "download" });
      isInside = false;
    };

    const seen: TorrentEvent[] = [];
    const torrent: EngineTorrent = session.add({
      from: { metainfo: made.metainfo },
      root: "/content",
      mode: "download",
      onEvent: (event) => {
        seen.push(event);
        // The calls cause events too: an owner that answered every event would never finish.
        if (isAdded && calls.length < CALLS_MAX) callAll(event.kind);
      },
    });
    isAdded = true;
    simulation.runFor(100);
    torrent.addPeers([first.node.address]);
    const peer = { node, run: { torrent, root: "/content", events: [] } };
    // An unwanted file is set aside and wanted again with every piece: the download still completes.
    assert.ok(
      simulation.runUntil(() => isComplete(peer), 120_000),
      "it is complete",
    );
    assertWhole(swarm, peer);
    assert.equal(calls.length, CALLS_MAX);
    assert.ok(calls.filter((kind) => kind === "piece").length >= 10, "among them, with pieces");
    assert.ok(seen.some(({ kind }) => kind === "complete"));
    await Promise.all([...removals, ending(session.close())]);

    async function ending(closed: Promise<void>): Promise<void> {
      let open = true;
      void closed.then(() => (open = false));
      while (open) {
        simulation.runFor(20);
        await Promise.resolve();
      }
    }
  }),
);

test(
  "an owner that removes its torrent at any event gets it stopped, and nothing after that",
  withSeed(91, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const first = await swarm.joinSeed();
    for (let at = 1; at < 20; at += 3) {
      const node = await swarm.join();
      const kinds: string[] = [];
      let removed: Promise<void> | undefined;
      let stopped = false;
      const torrent = node.session.add({
        from: { metainfo: swarm.made.metainfo },
        root: "/content",
        mode: "download",
        onEvent: (event) => {
          kinds.push(event.kind === "state" ? event.state.kind : event.kind);
          if (kinds.length < at || removed) return;
          // The very first event arrives before `add` returns.
          const found = [...node.session.torrents()][0]!;
          removed = node.session.remove(found).then(() => void (stopped = true));
        },
      });
      torrent.addPeers([first.node.address]);
      for (let i = 0; i < 500 && !stopped; i += 1) {
        swarm.simulation.runFor(20);
        await Promise.resolve();
      }
      await removed;
      assert.equal(torrent.state.kind, "stopped");
      assert.equal(kinds.indexOf("stopped"), kinds.length - 1, kinds.join(" "));
    }
  }),
);
