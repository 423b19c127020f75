import assert from "node:assert/strict";
import { test } from "node:test";
import { REACH } from "../base/address-reach.ts";
import { addressBytes } from "../base/endpoint.ts";
import type { DatagramNet, HttpFetch } from "../ports/net.ts";
import type { RefusalOf } from "./filtered-net.ts";
import { GuardedFetch, type MakeFetch } from "./guarded-fetch.ts";
import { NetGuard } from "./net-guard.ts";
import { OwnNetworks } from "./own-networks.ts";

/** Names and their addresses; a literal address resolves to itself. */
const NAMES = new Map([
  ["public.example", ["9.9.9.9"]],
  ["home.example", ["192.168.1.5", "2620:fe::5"]],
  ["trap.example", ["9.9.9.9", "127.0.0.1"]],
  ["localhost", ["127.0.0.1", "::1"]],
  ["crowd.example", ["224.0.0.1", "255.255.255.255"]],
]);

async function lookUp(host: string): Promise<readonly string[]> {
  return NAMES.get(host) ?? (addressBytes(host) ? [host] : []);
}

/** Connects to the first allowed address of each hop; the path `/to/HOST/PATH` redirects there. */
function fakeFetch(connected: string[]): MakeFetch {
  return ({ judge }): HttpFetch => ({
    async get(url) {
      let from = "";
      const [first = "", ...redirects] = url.split("/to/");
      for (const hop of [first, ...redirects.map((each) => `http://${each}`)]) {
        const name = new URL(hop).hostname.replace(/^\[(.*)\]$/, "$1");
        const judged = judge({ url: new URL(hop), addresses: await lookUp(name) });
        if ("refused" in judged) throw new Error(judged.refused);
        from = judged[0]!;
        connected.push(from);
      }
      return { status: 200, body: new Uint8Array(), from };
    },
  });
}

const LIMITS = { timeoutMs: 5000, bytesMax: 1000 };
const IN_NETWORK = /is in your own network: a torrent may name no other page/;
const LED_INSIDE = /may not send us to/;
const KEY = "0123456789abcdef0123456789abcdef";

const FETCHES: readonly {
  readonly url: string;
  readonly nearPages?: "all";
  readonly connects: readonly string[] | RegExp;
}[] = [
  { url: "http://public.example/anything", connects: ["9.9.9.9"] },
  // Near addresses: trackers only, unless the user named the URL.
  { url: "http://127.0.0.1/announce", connects: ["127.0.0.1"] },
  { url: "http://127.0.0.1/announce/", connects: ["127.0.0.1"] },
  { url: `http://192.168.1.5/${KEY}/announce?x=1`, connects: ["192.168.1.5"] },
  { url: "http://192.168.1.5/announce.php?k3y=1", connects: ["192.168.1.5"] },
  { url: "http://127.0.0.1/admin?reboot", connects: IN_NETWORK },
  { url: "http://127.0.0.1/cgi-bin/reboot.cgi/announce?now=1", connects: IN_NETWORK },
  { url: "http://127.0.0.1/reboot/announce?now=1", connects: IN_NETWORK },
  { url: `http://127.0.0.1/cgi-bin/${KEY}/announce`, connects: IN_NETWORK },
  { url: "http://127.0.0.1/announce/reboot", connects: IN_NETWORK },
  { url: "http://127.0.0.1/admin/..%2fannounce", connects: IN_NETWORK },
  { url: "http://127.0.0.1/admin;announce", connects: IN_NETWORK },
  { url: "http://127.0.0.1/admin?x=/announce", connects: IN_NETWORK },
  { url: "http://127.0.0.1//announce", connects: IN_NETWORK },
  { url: "http://2130706433/admin", connects: /127\.0\.0\.1 is in your own network/ },
  { url: "http://0x7f.1/admin", connects: /127\.0\.0\.1 is in your own network/ },
  { url: "http://0177.0.0.1/admin", connects: /127\.0\.0\.1 is in your own network/ },
  { url: "http://127.1/admin", connects: /127\.0\.0\.1 is in your own network/ },
  { url: "http://[::ffff:127.0.0.1]/admin", connects: IN_NETWORK },
  { url: "http://[::ffff:0:127.0.0.1]/admin", connects: IN_NETWORK },
  { url: "http://[64:ff9b:1::7f00:1]/admin", connects: IN_NETWORK },
  { url: "http://[2001:0:7f00:1::f6f6:f6f6]/admin", connects: IN_NETWORK },
  { url: "http://[::1]/announcements", connects: IN_NETWORK },
  { url: "http://169.254.169.254/latest/meta-data", connects: IN_NETWORK },
  { url: "http://192.0.0.8/admin", connects: IN_NETWORK },
  { url: "http://home.example/admin", connects: IN_NETWORK },
  { url: "http://127.0.0.1/admin", nearPages: "all", connects: ["127.0.0.1"] },
  // No host can have such an address.
  { url: "http://239.255.255.250/announce", connects: /no address of a machine/ },
  { url: "http://crowd.example/announce", nearPages: "all", connects: /no address of a machine/ },
  { url: "http://[2001:db8::1]/announce", connects: /no address of a machine/ },
  { url: "http://unknown.example/announce", connects: /no address of a machine/ },
  // Every hop is judged like the first. Redirects never lead nearer.
  { url: "http://public.example/announce/to/localhost/announce", connects: LED_INSIDE },
  { url: "http://public.example/announce/to/home.example/announce", connects: LED_INSIDE },
  { url: "http://192.168.1.5/announce/to/127.0.0.1/announce", connects: LED_INSIDE },
  { url: "http://127.0.0.1/announce/to/127.0.0.1/admin?wipe=1", connects: IN_NETWORK },
  { url: "http://127.0.0.1/announce/to/192.168.1.5/admin?wipe=1", connects: IN_NETWORK },
  {
    url: "http://localhost/announce/to/public.example/x",
    connects: ["127.0.0.1", "9.9.9.9"],
  },
  { url: "http://localhost/announce/to/9.9.9.9/x/to/127.0.0.1/announce", connects: LED_INSIDE },
  { url: "http://public.example/to/127.0.0.1/", nearPages: "all", connects: LED_INSIDE },
  {
    url: "http://127.0.0.1/x/to/127.0.0.1/y",
    nearPages: "all",
    connects: ["127.0.0.1", "127.0.0.1"],
  },
  // A name with near and far addresses counts as near, and only the near ones are used.
  { url: "http://trap.example/announce", connects: ["127.0.0.1"] },
  { url: "http://trap.example/x", connects: IN_NETWORK },
  { url: "http://home.example/announce", connects: ["192.168.1.5"] },
];

for (const { url, nearPages = "announce", connects } of FETCHES) {
  test(`HUB-7: ${url} for ${nearPages}`, async () => {
    const connected: string[] = [];
    const makeFetch = fakeFetch(connected);
    const fetch = new GuardedFetch({ nearPages, lenient: true, networks: alone(), makeFetch });
    if (connects instanceof RegExp) {
      await assert.rejects(fetch.get(url, LIMITS), { message: connects });
    } else {
      await fetch.get(url, LIMITS);
      assert.deepEqual(connected, connects);
    }
  });
}

/** A guard without interfaces, so that the addresses of this machine change nothing. */
function alone(): OwnNetworks {
  return new OwnNetworks(
    () => [],
    () => 0,
  );
}

function guard(networks = alone(), refusalOf?: RefusalOf): NetGuard {
  const datagrams: DatagramNet = {
    bind: () => Promise.reject(new Error("nothing is sent here")),
    resolve: lookUp,
  };
  const openRangeLine = () => assert.fail("no web seed is named here");
  return new NetGuard({ datagrams, networks, makeFetch: fakeFetch([]), openRangeLine, refusalOf });
}

const PEERS = ["127.0.0.1", "192.168.1.7", "9.9.9.9", "224.0.0.1"];

/**
 * Whether it may connect to peers on this machine, in its network, on the internet, and at an
 * unreachable address.
 */
function allowed(judge: NetGuard): boolean[] {
  return PEERS.map((address) => judge.allowPeer({ address, port: 1 }));
}

test("house rule 8: peers may be as near as the sender of the reply that names them, no nearer", () => {
  assert.deepEqual(allowed(guard()), [false, false, true, false], "known from a link only");
  const peers = PEERS.map((address) => ({ address, port: 6881 }));
  const names = (from: string): string[] =>
    guard()
      .judgePeers(peers, from)
      .map((p) => p.address);
  assert.deepEqual(names("9.9.9.9"), ["9.9.9.9"]);
  assert.deepEqual(names("192.168.1.5"), ["192.168.1.7", "9.9.9.9"]);
  assert.deepEqual(names("127.0.0.1"), ["127.0.0.1", "192.168.1.7", "9.9.9.9"]);
});

test("house rule 8: a reply from near vouches for its own peers only", () => {
  const judge = guard();
  judge.judgePeers([{ address: "192.168.1.7", port: 1 }], "192.168.1.5");
  assert.deepEqual(allowed(judge), [false, true, true, false]);
  assert.equal(judge.allowPeer({ address: "192.168.1.8", port: 1 }), false);
  // The name of the same tracker now resolves to a public address: what it named before does not
  // count.
  assert.deepEqual(judge.judgePeers([{ address: "192.168.1.7", port: 2 }], "9.9.9.9"), []);
  assert.deepEqual(judge.judgePeers([{ address: "192.168.1.8", port: 2 }], "9.9.9.9"), []);
  assert.deepEqual(judge.refused, ["192.168.1.7", "192.168.1.8"]);
});

test("HUB-26: the guard trusts a peer's port, not everything that listens on its machine", () => {
  const everseed = { address: "127.0.0.1", port: 8421 };
  const database = { address: "127.0.0.1", port: 6379 };
  const vouching = guard();
  vouching.judgePeers([everseed], "127.0.0.1");
  const naming = guard();
  naming.trust(everseed);
  for (const judge of [vouching, naming]) {
    assert.deepEqual([judge.allowPeer(everseed), judge.admitPeer(everseed)], [true, true]);
    assert.deepEqual([judge.allowPeer(database), judge.admitPeer(database)], [false, false]);
    assert.deepEqual(judge.judgePeers([database], "9.9.9.9"), []);
    assert.deepEqual(judge.refused, ["127.0.0.1"]);
  }
});

test("house rule 8: addresses of UDP trackers are judged too", async () => {
  assert.deepEqual(await guard().datagrams.resolve("trap.example"), ["127.0.0.1"]);
  assert.deepEqual(await guard().datagrams.resolve("localhost"), ["127.0.0.1", "::1"]);
  assert.deepEqual(await guard().datagrams.resolve("crowd.example"), []);
});

test("house rule 8: the number of vouched peers is bounded", () => {
  const judge = guard();
  const peers = Array.from({ length: 10_001 }, (_, n) => ({
    address: `10.0.${n >> 8}.${n & 255}`,
    port: 1,
  }));
  for (let at = 0; at < peers.length; at += 500) {
    judge.judgePeers(peers.slice(at, at + 500), "10.9.9.9");
  }
  assert.equal(judge.allowPeer({ address: "10.0.0.0", port: 1 }), false, "the oldest is dropped");
  assert.equal(judge.allowPeer({ address: "10.0.0.1", port: 1 }), true);
});

test("house rule 8: peers that the user names may be anywhere", () => {
  const judge = guard();
  judge.trust({ address: "192.168.1.7", port: 1 });
  assert.deepEqual(allowed(judge), [false, true, true, false]);
  const peers = [{ address: "192.168.1.7", port: 1 }];
  assert.deepEqual(judge.judgePeers(peers, "9.9.9.9"), peers);
});

test("WIR-29: whoever names an address that is kept away, it is no peer, and nothing is said of our own network", () => {
  const judge = guard(alone(), (address) =>
    address === "9.9.9.8" ? "an IP filter keeps it away" : undefined,
  );
  const peers = ["9.9.9.8", "9.9.9.9"].map((address) => ({ address, port: 1 }));
  assert.deepEqual(judge.judgePeers(peers, "9.1.1.1"), [peers[1]]);
  judge.trust(peers[0]!);
  assert.deepEqual(
    peers.map((peer) => judge.allowPeer(peer)),
    [false, true],
  );
  assert.equal(judge.admitPeer(peers[0]!), false);
  assert.deepEqual(judge.refused, []);
});

test("house rule 8: a few refused peers can be reported, but not those allowed by now", () => {
  const judge = guard();
  assert.deepEqual(judge.refused, []);
  for (let last = 1; last < 9; last += 1)
    judge.admitPeer({ address: `192.168.1.${last}`, port: 1 });
  assert.ok(judge.admitPeer({ address: "9.9.9.9", port: 1 }));
  assert.deepEqual(judge.refused, ["192.168.1.1", "192.168.1.2", "192.168.1.3"]);
  judge.trust({ address: "192.168.1.2", port: 1 });
  assert.deepEqual(judge.refused, ["192.168.1.1", "192.168.1.3"]);
});

/**
 * A machine at home: a network with public addresses, a tunnel, and a line with a single address.
 */
const INTERFACES = [
  { address: "127.0.0.1", cidr: "127.0.0.1/8" },
  { address: "::1", cidr: "::1/128" },
  { address: "192.168.1.7", cidr: "192.168.1.7/24" },
  { address: "2620:fe:1:2::7", cidr: "2620:fe:1:2::7/64" },
  { address: "fe80::7", cidr: "fe80::7/64" },
  { address: "9.1.2.3", cidr: "9.1.2.3/29" },
  { address: "9.9.8.8", cidr: "9.9.8.8/32" },
  { address: "2620:fe:9::1", cidr: "2620:fe:9::1/1" },
  { address: "11.0.0.1", cidr: null },
];
const near = new OwnNetworks(
  () => INTERFACES,
  () => 0,
);

const DISTANCES: [address: string, reach: "machine" | "network" | "world" | "nowhere"][] = [
  ["2620:fe:1:2::7", "machine"],
  ["2620:FE:1:2:0:0:0:7", "machine"],
  ["9.1.2.3", "machine"],
  ["::ffff:9.1.2.3", "machine"],
  ["192.168.1.7", "machine"],
  ["9.9.8.8", "machine"],
  ["11.0.0.1", "machine"],
  ["2620:fe:9::1", "machine"],
  ["fe80::7%eth0", "machine"],
  ["2620:fe:1:2::8", "network"],
  ["2620:fe:1:2:ffff:ffff:ffff:ffff", "network"],
  ["9.1.2.4", "network"],
  ["::ffff:9.1.2.4", "network"],
  ["192.168.1.8", "network"],
  ["2620:fe:1:3::8", "world"],
  ["9.1.2.9", "world"],
  ["9.9.8.9", "world"],
  ["11.0.0.2", "world"],
  ["2620:fe:9::2", "world"],
  ["224.0.0.1", "nowhere"],
  ["no address", "machine"],
];
for (const [address, reach] of DISTANCES) {
  test(`HUB-44: from this machine ${address} is ${reach}`, () => {
    assert.equal(near.reachOf(address), REACH[reach]);
  });
}

test("HUB-44: neighbours and this machine are near by their global addresses too", async () => {
  const judge = guard(near);
  const peers = ["2620:fe:1:2::7", "2620:fe:1:2::8", "9.1.2.4", "2620:fe:1:3::8"].map(
    (address) => ({ address, port: 6379 }),
  );
  const [self, sibling, neighbour, far] = peers;
  assert.deepEqual(judge.judgePeers(peers, "9.9.9.9"), [far]);
  assert.deepEqual(
    peers.map((peer) => judge.allowPeer(peer)),
    [false, false, false, true],
  );
  // A tracker in our own network may name neighbours, whichever of its addresses answered.
  assert.deepEqual(guard(near).judgePeers(peers, "2620:fe:1:2::9"), [sibling, neighbour, far]);
  assert.deepEqual(guard(near).judgePeers(peers, "2620:fe:1:2::7"), [
    self,
    sibling,
    neighbour,
    far,
  ]);
  assert.deepEqual(await judge.datagrams.resolve("2620:fe:1:2::8"), ["2620:fe:1:2::8"]);
});

test("HUB-44: a torrent may not name a neighbour's page, and no server elsewhere may redirect to one", async () => {
  const fetch = new GuardedFetch({
    nearPages: "announce",
    lenient: true,
    networks: near,
    makeFetch: fakeFetch([]),
  });
  for (const [url, why] of [
    ["http://[2620:fe:1:2::8]/admin?reboot", IN_NETWORK],
    ["http://[2620:fe:1:2::7]/admin", IN_NETWORK],
    ["http://9.1.2.4/admin", IN_NETWORK],
    ["http://public.example/announce/to/[2620:fe:1:2::8]/announce", LED_INSIDE],
    ["http://[2620:fe:1:2::8]/announce/to/[2620:fe:1:2::7]/announce", LED_INSIDE],
  ] as const) {
    await assert.rejects(fetch.get(url, LIMITS), { message: why }, url);
  }
  await fetch.get("http://[2620:fe:1:2::8]/announce", LIMITS);
});

test("HUB-44: interfaces that come and go are noticed within seconds", () => {
  let nowMs = 0;
  let looks = 0;
  let own = [{ address: "9.1.2.3", cidr: "9.1.2.3/24" }];
  const interfaces = () => {
    looks += 1;
    return own;
  };
  const networks = new OwnNetworks(interfaces, () => nowMs);
  for (let asked = 0; asked < 100; asked += 1) networks.reachOf("9.1.2.4");
  assert.equal(looks, 1);
  own = [{ address: "9.5.2.3", cidr: "9.5.2.3/24" }];
  nowMs += 10_000;
  assert.equal(networks.reachOf("9.1.2.4"), REACH.world);
  assert.equal(networks.reachOf("9.5.2.4"), REACH.network);
});
