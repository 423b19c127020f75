import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { addressKey, formatPeerAddress, ipOf, tcpAddress } from "../../src/base/peer-address.ts";
import type { ExtensionKind } from "../../src/engine/extension.ts";
import { peerExchange } from "../../src/pex/peer-exchange.ts";
import { SimSwarm, type SimPeer } from "../../src/sim/sim-swarm.ts";
import { encodeExtended } from "../../src/wire/encode-messages.ts";
import { decodeExtensionHandshake, encodeExtensionHandshake } from "../../src/wire/extensions.ts";
import { decodePex, encodePex, PEX_FLAG, type PexMessage, UT_PEX } from "../../src/wire/ut-pex.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";
import { hostOf, infohashOf, listenAs, ScriptedPeer } from "./scripted-peer.ts";

const PEX_ID = 9;
const extensions = [peerExchange({ judgePeers: (peers) => peers })];

async function joinWithPex(swarm: SimSwarm, kind: "seed" | "leecher"): Promise<SimPeer> {
  const node = await swarm.join();
  const run =
    kind === "seed"
      ? node.seed(swarm.made, { extensions })
      : node.leech(swarm.made, { extensions });
  return { node, run };
}

function connectedTo({ run }: SimPeer): Set<string> {
  return new Set(run.torrent.peers().map(({ remote }) => formatPeerAddress(remote).split(":")[0]!));
}

/** A peer of a script that speaks peer exchange, and what it was told with the times. */
function listener(swarm: SimSwarm) {
  const messages: { readonly atMs: number; readonly message: PexMessage }[] = [];
  const offers: (number | undefined)[] = [];
  let theirId: number | undefined;
  const script = {
    infohash: infohashOf(swarm),
    flags: { extended: true },
    ready: (peer: ScriptedPeer) => {
      const messagesWanted = new Map([[UT_PEX, PEX_ID]]);
      const hello = encodeExtensionHandshake({ messages: messagesWanted, listenPort: 6881 });
      peer.send(encodeExtended(0, hello));
    },
    extended: (_peer: ScriptedPeer, id: number, payload: Uint8Array) => {
      if (id === 0) {
        const offered = decodeExtensionHandshake(payload).messages.get(UT_PEX);
        offers.push(offered);
        theirId ??= offered;
      }
      const atMs = swarm.simulation.nowMs();
      if (id === PEX_ID) messages.push({ atMs, message: decodePex(payload) });
    },
  };
  const send = (peer: ScriptedPeer, message: PexMessage): void =>
    peer.send(encodeExtended(theirId!, encodePex(message)));
  return { script, messages, offers, send };
}

test(
  "a leecher with one peer finds all others through peer exchange, and completes",
  withSeed(111, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const first = await joinWithPex(swarm, "seed");
    const others: SimPeer[] = [];
    for (let i = 0; i < 8; i += 1) others.push(await joinWithPex(swarm, "leecher"));
    swarm.simulation.runFor(100);
    // Each knows the seed only.
    for (const { run } of others) run.torrent.addPeers([first.node.address]);
    const last = others.at(-1)!;
    const found = (): boolean => connectedTo(last).size === others.length;
    assert.ok(swarm.simulation.runUntil(found, 10_000), `${[...connectedTo(last)].join(" ")}`);
    assert.ok(swarm.runUntilComplete(others, 60_000) !== undefined);
    for (const peer of others) assertWhole(swarm, peer);
  }),
);

test(
  "WIR-11: a peer is told once a minute, of fifty at most, nobody twice, and of everybody who has gone",
  withSeed(112, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const node = await swarm.join({
      settings: { connectionsPerTorrentMax: 200, connectionsMax: 300 },
    });
    const run = node.leech(swarm.made, { extensions });
    swarm.simulation.runFor(100);
    const heard = listener(swarm);
    const watcher = new ScriptedPeer(heard.script).dial(hostOf(swarm, 1), node.address);
    swarm.simulation.runFor(5_000);
    assert.equal(heard.messages.length, 0, "there is nobody to tell of");
    const crowd: ScriptedPeer[] = [];
    for (let number = 2; number < 122; number += 1) {
      const quiet = listener(swarm);
      crowd.push(new ScriptedPeer(quiet.script).dial(hostOf(swarm, number), node.address));
    }
    runFor(swarm, [watcher, ...crowd], 200_000);
    assert.equal(run.torrent.peers().length, 121);
    for (const peer of crowd) peer.connection!.destroy();
    runFor(swarm, [watcher], 200_000);
    const times = heard.messages.map(({ atMs }) => atMs);
    assert.ok(
      times.every((atMs, n) => n === 0 || Math.round(atMs - times[n - 1]!) >= 60_000),
      `${times.join(" ")}`,
    );
    const here = new Set<string>();
    for (const { message } of heard.messages) {
      assert.ok(message.added.length <= 50 && message.dropped.length <= 50);
      assert.ok(message.added.length + message.dropped.length > 0);
      const added = message.added.map(({ endpoint }) => keyOf(endpoint));
      const dropped = message.dropped.map(keyOf);
      assert.ok(added.every((key) => !here.has(key) && !dropped.includes(key)));
      assert.ok(dropped.every((key) => here.delete(key)));
      for (const key of added) here.add(key);
    }
    assert.equal(heard.messages.flatMap(({ message }) => message.added).length, 120);
    assert.equal(here.size, 0, "all of them are dropped again");
    assert.equal(watcher.isClosed, false);
  }),
);

test(
  "flags tell seeds, and peers that were dialled",
  withSeed(113, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 20 * MIB });
    const source = await joinWithPex(swarm, "seed");
    const leecher = await joinWithPex(swarm, "leecher");
    swarm.simulation.runFor(100);
    const heard = listener(swarm);
    leecher.run.torrent.addPeers([source.node.address]);
    const watcher = new ScriptedPeer(heard.script).dial(hostOf(swarm, 1), leecher.node.address);
    assert.ok(swarm.simulation.runUntil(() => heard.messages.length > 0, 5_000));
    const [entry] = heard.messages[0]!.message.added;
    assert.equal(keyOf(entry!.endpoint), addressKey(source.node.address));
    assert.equal(entry!.flags & PEX_FLAG.reachable, PEX_FLAG.reachable);
    assert.equal(watcher.isClosed, false);
  }),
);

test(
  "WIR-11: peers that name thousands, and a victim again and again, cause few dials, and are closed",
  withSeed(114, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const node = await swarm.join();
    node.leech(swarm.made, { extensions });
    swarm.simulation.runFor(100);
    const dialled = new Map<string, number>();
    const dial = node.host.dial.bind(node.host);
    node.host.dial = (remote, ...rest) => {
      const name = formatPeerAddress(remote).split(":")[0]!;
      dialled.set(name, (dialled.get(name) ?? 0) + 1);
      return dial(remote, ...rest);
    };
    const VICTIM = "9.9.9.9";
    const liars = Array.from({ length: 4 }, (_, number) => {
      const heard = listener(swarm);
      // Each in a network of its own.
      const host = swarm.net.createHost(`172.17.${number}.1`, hostOf(swarm, 200 + number).link);
      const peer = new ScriptedPeer(heard.script).dial(host, node.address);
      return { peer, heard, number };
    });
    swarm.simulation.runFor(1_000);
    for (let minute = 0; minute < 10; minute += 1) {
      for (const { peer, heard, number } of liars) {
        const endpoints = Array.from({ length: 100 }, (_, n): Endpoint => {
          if (n < 50) return { address: VICTIM, port: 2000 + n + minute * 50 };
          if (n < 60) return { address: "9.9.8.8", port: n };
          return { address: `11.${number}.${minute}.${n}`, port: 6881 };
        });
        heard.send(peer, {
          added: endpoints.map((endpoint) => ({ endpoint, flags: 0 })),
          dropped: [],
        });
      }
      swarm.simulation.runFor(60_000);
    }
    const total = [...dialled.values()].reduce((sum, count) => sum + count, 0);
    assert.equal(dialled.get("9.9.8.8"), undefined, "no port below 1024");
    assert.ok(dialled.get(VICTIM)! >= 4, "it is tried");
    // Four ports, each again after one minute, two, and four.
    assert.ok(dialled.get(VICTIM)! <= 16, `${dialled.get(VICTIM)} dials of the victim`);
    assert.ok(total / 600 <= 3, `${total} dials in ten minutes`);
    const [first] = liars;
    for (let n = 0; n < 30; n += 1) first!.heard.send(first!.peer, { added: [], dropped: [] });
    swarm.simulation.runFor(1_000);
    assert.equal(first!.peer.isClosed, true, "it names peers without end");
    assert.equal(liars[1]!.peer.isClosed, false);
  }),
);

test(
  "WIR-11: one network fills no more than its part of what is known; what fails makes room for others",
  withSeed(115, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 64 * 1024 });
    const node = await swarm.join();
    const run = node.leech(swarm.made, { extensions });
    swarm.simulation.runFor(100);
    const heard = listener(swarm);
    const peer = new ScriptedPeer(heard.script).dial(hostOf(swarm, 1), node.address);
    swarm.simulation.runFor(1_000);
    for (let minute = 0; minute < 6; minute += 1) {
      const added = Array.from({ length: 100 }, (_, n) => ({
        endpoint: { address: `12.0.${minute}.${n + 1}`, port: 6881 },
        flags: 0,
      }));
      heard.send(peer, { added, dropped: [] });
      runFor(swarm, [peer], 50_000);
    }
    // And the liar itself.
    assert.ok(run.torrent.stats().knownPeers <= 201, `${run.torrent.stats().knownPeers} known`);
    const good = await listenAs(hostOf(swarm, 2), { infohash: infohashOf(swarm) });
    if (good.kind !== "tcp") assert.fail("it has an endpoint");
    runFor(swarm, [peer], 1_000_000);
    heard.send(peer, { added: [{ endpoint: good.endpoint, flags: 0 }], dropped: [] });
    swarm.simulation.runFor(30_000);
    assert.equal(good.peers.length, 1, "it is dialled, although the share was full");
  }),
);

test(
  "an extension hears that a banned peer was not good, and that others were",
  withSeed(116, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const [honest, liar] = [await swarm.joinSeed(), await swarm.joinSeed()];
    liar.node.disk.lies = () => true;
    const left = new Map<string | undefined, boolean>();
    const hears: ExtensionKind = {
      name: "hears",
      inPrivate: false,
      create: () => ({
        join: () => undefined,
        leave: ({ address }, wasGood) => void left.set(ipOf(address), wasGood),
        handleMessage: () => undefined,
        tick: () => undefined,
      }),
    };
    const node = await swarm.join();
    const run = node.leech(swarm.made, { extensions: [hears] });
    swarm.simulation.runFor(100);
    run.torrent.addPeers([honest.node.address, liar.node.address]);
    assert.ok(swarm.runUntilComplete([{ node, run }], 120_000) !== undefined);
    swarm.simulation.runFor(1_000);
    assert.equal(left.get(liar.node.host.address), false);
    assert.equal(left.get(honest.node.host.address), true);
  }),
);

/** Lets time pass for peers that say nothing else: they are alive. */
function runFor(swarm: SimSwarm, peers: readonly ScriptedPeer[], ms: number): void {
  for (let left = ms; left > 0; left -= 60_000) {
    swarm.simulation.runFor(Math.min(left, 60_000));
    for (const peer of peers) if (!peer.isClosed) peer.send(new Uint8Array(4));
  }
}

function keyOf(endpoint: Endpoint): string {
  return addressKey(tcpAddress(endpoint));
}
