import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { encodeExtensionHandshake, decodeExtensionHandshake } from "../../src/wire/extensions.ts";
import { UT_PEX } from "../../src/wire/ut-pex.ts";
import { decodeBtSearch, LSD_GROUPS } from "../../src/lsd/bt-search.ts";
import { NodeMulticast } from "../../src/platform/multicast-net.ts";
import { UdpNet } from "../../src/platform/udp-net.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { dial, frames, listenAs, type RawPeer } from "../hostile/raw-peer.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const LISTEN = ["--listen", "127.0.0.1:0", "--lsd", "on", "--json"];

function content(t: TestContext): string {
  const folder = temporaryFolder(t);
  // Another torrent for each run: everybody on this machine hears everybody.
  writeFileSync(path.join(folder, "talk.txt"), `${Math.random()} `.repeat(20_000));
  return folder;
}

/** Hears what this machine says to itself. */
async function listen(t: TestContext) {
  const infohashes: string[] = [];
  const group = await new NodeMulticast({ log: SILENT_LOG }).join({
    group: LSD_GROUPS[0]!,
    links: { address: "127.0.0.1" },
    receive: (packet) => infohashes.push(...(decodeBtSearch(packet)?.infohashes ?? []).map(toHex)),
  });
  t.after(() => group.close());
  return infohashes;
}

test("two programs on one link find each other with no tracker, DHT or peer named", async (t) => {
  const heard = await listen(t);
  const folder = content(t);
  const seed = new EverseedProcess(t, ["seed", "talk.txt", ...LISTEN], { cwd: folder });
  const [, magnet] = await seed.waitFor(/"magnet":"([^"]+)"/);
  await seed.port();
  const got = await everseed(t, ["get", magnet!, "-o", "out", ...LISTEN], { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  assert.deepEqual(
    readFileSync(path.join(folder, "out", "talk.txt")),
    readFileSync(path.join(folder, "talk.txt")),
  );
  const infohash = /btih:([0-9a-f]{40})/.exec(magnet!)![1]!;
  assert.ok(heard.includes(infohash), "and whoever listens hears them");
});

/** A stranger who speaks peer exchange: which extensions it was offered, and the ids of the messages that came. */
function stranger(infohash: Uint8Array) {
  const offers: (readonly string[])[] = [];
  const messages: number[] = [];
  const PEX_ID = 9;
  const script = {
    infohash,
    flags: { extended: true },
    ready: (peer: RawPeer) => {
      const words = { messages: new Map([[UT_PEX, PEX_ID]]), listenPort: 7001 };
      peer.send(frames.extended(0, encodeExtensionHandshake(words)));
    },
    extended: (_peer: RawPeer, id: number, payload: Uint8Array) => {
      if (id === 0) offers.push([...decodeExtensionHandshake(payload).messages.keys()]);
      else messages.push(id);
    },
  };
  return { script, offers, messages };
}

for (const isPrivate of [false, true]) {
  test(`BEP 27: with everything on, what is heard of a torrent, private: ${isPrivate}`, async (t) => {
    const heard = await listen(t);
    const folder = content(t);
    const packets: string[] = [];
    const node = await new UdpNet().bind({
      host: "127.0.0.1",
      port: 0,
      receive: (packet) => packets.push(Buffer.from(packet).toString("latin1")),
    });
    t.after(() => node.close());
    const tracker = ["--tracker", "http://127.0.0.1:9/announce"];
    const kind = isPrivate ? ["--private"] : [];
    const created = await everseed(t, ["create", "talk.txt", ...kind, ...tracker, "--json"], {
      cwd: folder,
    });
    const infohash = /btih:([0-9a-f]{40})/.exec(created.stdout)![1]!;
    // The strangers of this test speak plainly.
    const all = [
      ...LISTEN,
      "--encryption",
      "off",
      "--pex",
      "on",
      "--dht-bootstrap",
      `127.0.0.1:${node.local.port}`,
    ];
    const seed = new EverseedProcess(t, ["seed", "talk.txt.torrent", ...all], { cwd: folder });
    const seedPort = await seed.port();
    const [caller, called] = [stranger(fromHex(infohash)!), stranger(fromHex(infohash)!)];
    dial(t, { address: "127.0.0.1", port: seedPort }, caller.script);
    const waiting = await listenAs(t, called.script);
    const peers = [
      ["--peer", `127.0.0.1:${waiting.endpoint.port}`],
      ["--peer", `127.0.0.1:${seedPort}`],
      // Slow enough for a message of peer exchange to come a second after the handshake.
      ["--down", "100K", "--seed", "forever"],
    ].flat();
    const get = new EverseedProcess(t, ["get", "talk.txt.torrent", "-o", "out", ...peers, ...all], {
      cwd: folder,
    });
    await get.waitFor(/"event":"done"/);
    const offers = [...caller.offers, ...called.offers];
    assert.ok(caller.offers.length > 0 && called.offers.length > 0, "all have greeted");
    const says = {
      lsd: heard.includes(infohash),
      dht: packets.length > 0,
      offersPex: offers.some((names) => names.includes(UT_PEX)),
      sendsPex: caller.messages.length + called.messages.length > 0,
    };
    const expected = !isPrivate;
    assert.deepEqual(says, {
      lsd: expected,
      dht: expected,
      offersPex: expected,
      sendsPex: expected,
    });
  });
}
