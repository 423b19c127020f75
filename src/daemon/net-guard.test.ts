import assert from "node:assert/strict";
import { test } from "node:test";
import { addressBytes } from "../base/endpoint.ts";
import type { DatagramNet, HttpFetch } from "../ports/net.ts";
import type { TrackerStatus } from "../tracker-client/tracker.ts";
import { REACH, reachOf } from "../base/address-reach.ts";
import { GuardedFetch } from "./guarded-fetch.ts";
import { NetGuard } from "./net-guard.ts";

const MACHINE = ["127.0.0.1", "127.8.8.8", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"];
const MACHINE_INSIDE = ["::127.0.0.1", "2002:7f00:1::1", "64:ff9b::7f00:1", "no address", ""];
const NETWORK = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254"];
const NETWORK_MORE = ["100.64.0.1", "198.18.0.1", "fd00::1", "fe80::1", "fe80::1%eth0", "fec0::1"];
const NETWORK_INSIDE = ["::ffff:192.168.1.1", "2002:c0a8:101::", "64:ff9b::a00:1", "::10.0.0.1"];
const WORLD = ["9.9.9.9", "172.32.0.1", "100.128.0.1", "192.169.0.1", "2620:fe::9", "::9.9.9.9"];

for (const [addresses, reach] of [
  [[...MACHINE, ...MACHINE_INSIDE], REACH.machine],
  [[...NETWORK, ...NETWORK_MORE, ...NETWORK_INSIDE], REACH.network],
  [[...WORLD, "2002:909:909::", "64:ff9b::909:909"], REACH.world],
] as const) {
  for (const address of addresses) {
    test(`HUB-7: "${address}" has reach ${reach}`, () => assert.equal(reachOf(address), reach));
  }
}

/** Names and their addresses; literal addresses are themselves. */
const NAMES = new Map([
  ["public.example", ["9.9.9.9"]],
  ["home.example", ["192.168.1.5", "2620:fe::5"]],
  ["trap.example", ["9.9.9.9", "127.0.0.1"]],
  ["localhost", ["127.0.0.1", "::1"]],
]);

async function lookUp(host: string): Promise<readonly string[]> {
  return NAMES.get(host) ?? (addressBytes(host) ? [host] : []);
}

/** Connects to the first address that is allowed of each hop; a path `/to/HOST` redirects to HOST. */
function fakeFetch(connected: string[]) {
  return (allowAddress: (address: string) => boolean): HttpFetch => ({
    async get(url) {
      const { hostname, pathname } = new URL(url);
      for (const host of [hostname, ...pathname.split("/to/").slice(1)]) {
        const name = host.replace(/^\[(.*)\]$/, "$1");
        const allowed = (await lookUp(name)).filter(allowAddress);
        if (allowed.length === 0) throw new Error(`refused: ${name}`);
        connected.push(allowed[0]!);
      }
      return { status: 200, body: new Uint8Array() };
    },
  });
}

const LIMITS = { timeoutMs: 1000, bytesMax: 1000 };

const FETCHES: readonly {
  readonly url: string;
  readonly nearPages?: "all";
  readonly connects: readonly string[] | RegExp;
}[] = [
  { url: "http://public.example/anything", connects: ["9.9.9.9"] },
  // Near: trackers only, unless the person named it.
  { url: "http://127.0.0.1/announce", connects: ["127.0.0.1"] },
  { url: "http://192.168.1.5/k3y/announce", connects: ["192.168.1.5"] },
  { url: "http://localhost/announce/k3y?x=1", connects: ["127.0.0.1"] },
  { url: "http://192.168.1.5/tracker/announce.php?k3y=1", connects: ["192.168.1.5"] },
  { url: "http://127.0.0.1/admin?reboot", connects: /a torrent may name no other page/ },
  { url: "http://2130706433/admin", connects: /127\.0\.0\.1 is in your own network/ },
  { url: "http://0x7f.1/admin", connects: /127\.0\.0\.1 is in your own network/ },
  { url: "http://0177.0.0.1/admin", connects: /127\.0\.0\.1 is in your own network/ },
  { url: "http://[::ffff:127.0.0.1]/admin", connects: /in your own network/ },
  { url: "http://[::1]/announcements", connects: /in your own network/ },
  { url: "http://169.254.169.254/latest/meta-data", connects: /in your own network/ },
  { url: "http://home.example/admin", connects: /in your own network/ },
  { url: "http://127.0.0.1/admin", nearPages: "all", connects: ["127.0.0.1"] },
  // Redirects lead no nearer.
  { url: "http://public.example/announce/to/localhost", connects: /refused: localhost/ },
  { url: "http://public.example/announce/to/home.example", connects: ["9.9.9.9", "2620:fe::5"] },
  { url: "http://192.168.1.5/announce/to/127.0.0.1", connects: /refused: 127\.0\.0\.1/ },
  { url: "http://localhost/announce/to/public.example", connects: ["127.0.0.1", "9.9.9.9"] },
  { url: "http://public.example/to/127.0.0.1", nearPages: "all", connects: /refused/ },
  // A name that is near and far is near, and only there.
  { url: "http://trap.example/announce", connects: ["127.0.0.1"] },
  { url: "http://trap.example/x", connects: /in your own network/ },
  { url: "http://home.example/announce", connects: ["192.168.1.5"] },
];

for (const { url, nearPages = "announce", connects } of FETCHES) {
  test(`HUB-7: ${url} for ${nearPages}`, async () => {
    const connected: string[] = [];
    const makeFetch = fakeFetch(connected);
    const fetch = new GuardedFetch({ userAgent: "x", nearPages, lookUp, makeFetch });
    if (connects instanceof RegExp) await assert.rejects(fetch.get(url, LIMITS), connects);
    else {
      await fetch.get(url, LIMITS);
      assert.deepEqual(connected, connects);
    }
  });
}

/** A guard, and a torrent's trackers by their names: those that answered gave peers. */
function guardWith(...trackers: readonly (readonly [name: string, peersGiven: number])[]) {
  const datagrams: DatagramNet = {
    bind: () => Promise.reject(new Error("nothing is sent here")),
    resolve: lookUp,
  };
  const guard = new NetGuard({ userAgent: "x", datagrams, lookUp, makeFetch: fakeFetch([]) });
  const status = trackers.map(([name, peersGiven]): TrackerStatus => {
    const rest = { message: undefined, nextAnnounceInMs: 0, seeds: 0, leechers: 0 };
    return { name, tier: 0, state: "announcing", peersGiven, ...rest };
  });
  guard.watch({ status: () => status });
  return guard;
}

/** Whether peers on this machine, in its network and in the world may be connected to. */
function allowed(guard: NetGuard): boolean[] {
  return ["127.0.0.1", "192.168.1.7", "9.9.9.9"].map((address) => guard.allowPeer(address));
}

test("house rule 8: peers in the own network are for those who are in it to name", async () => {
  assert.deepEqual(allowed(guardWith()), [false, false, true], "nobody but a link");

  const guard = guardWith(["http://public.example", 50], ["udp://192.168.1.5:80", 0]);
  await guard.http.get("http://public.example/announce", LIMITS);
  await guard.datagrams.resolve("192.168.1.5");
  assert.deepEqual(allowed(guard), [false, false, true], "the near one is silent");

  const home = guardWith(["http://home.example", 50]);
  await home.http.get("http://home.example/announce", LIMITS);
  assert.deepEqual(allowed(home), [false, true, true], "a tracker at home");

  const own = guardWith(["udp://localhost:6969", 1]);
  assert.deepEqual(await own.datagrams.resolve("localhost"), ["127.0.0.1", "::1"]);
  assert.deepEqual(allowed(own), [true, true, true], "a tracker on this machine");

  const trap = guardWith(["udp://trap.example:6969", 1]);
  assert.deepEqual(await trap.datagrams.resolve("trap.example"), ["127.0.0.1"]);

  const moved = guardWith(["http://localhost", 50]);
  await moved.http.get("http://localhost/announce/to/public.example", LIMITS);
  assert.deepEqual(allowed(moved), [false, false, true], "the answer came from far");
});

test("house rule 8: peers that the person names may be anywhere", () => {
  const guard = guardWith();
  guard.trust("192.168.1.7");
  assert.deepEqual(allowed(guard), [false, true, true]);
});

test("house rule 8: what was refused can be told, a few of it, and not what is allowed by now", () => {
  const guard = guardWith();
  assert.deepEqual(guard.refused, []);
  for (let last = 1; last < 9; last += 1) guard.admitPeer(`192.168.1.${last}`);
  assert.ok(guard.admitPeer("9.9.9.9"));
  assert.deepEqual(guard.refused, ["192.168.1.1", "192.168.1.2", "192.168.1.3"]);
  guard.trust("192.168.1.2");
  assert.deepEqual(guard.refused, ["192.168.1.1", "192.168.1.3"]);
});
