import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv4Route, ipv6Route } from "./default-routes.ts";
import { placeIn } from "./network-places.ts";

const HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";

test("the default route of IPv4 is the one with the least metric that is up", () => {
  const table = [
    HEAD,
    "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0",
    "eth0\t00000000\t01B2A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
    "down0\t00000000\t0A00000A\t0002\t0\t0\t1\t00000000\t0\t0\t0",
    "eth0\t00B2A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0",
    "tun0\t00000000\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0",
  ].join("\n");
  assert.deepEqual(ipv4Route(table), { gateway: "192.168.178.1", interface: "eth0" });
});

test("the default route of IPv6; a link-local router is one of its interface", () => {
  const zeros = "0".repeat(32);
  const line = (gateway: string, metric: string, name: string): string =>
    `${zeros} 00 ${zeros} 00 ${gateway} ${metric} 00000003 00000000 00000003 ${name}`;
  const router = "fe800000000000000000000000000001";
  const table = [
    `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo`,
    line(router, "00000400", "   wlan0"),
    line("fd000000000000000000000000000001", "00000064", "    eth0"),
  ].join("\n");
  assert.deepEqual(ipv6Route(table), { gateway: "fd00::1", interface: "eth0" });
  assert.deepEqual(ipv6Route(line(router, "1", "wlan0")), {
    gateway: "fe80::1%wlan0",
    interface: "wlan0",
  });
});

for (const junk of ["", HEAD, "eth0\t00000000\tzz\t0003\t0\t0\t0\t00000000", "\0\n\n \t"]) {
  test(`there is no route in ${JSON.stringify(junk)}`, () => {
    assert.equal(ipv4Route(junk), undefined);
    assert.equal(ipv6Route(junk), undefined);
  });
}

const OWN = [
  { name: "lo", address: "127.0.0.1", cidr: "127.0.0.1/8" },
  { name: "docker0", address: "172.17.0.1", cidr: "172.17.0.1/16" },
  { name: "eth0", address: "10.0.0.5", cidr: "10.0.0.5/24" },
  { name: "eth0", address: "192.168.178.20", cidr: "192.168.178.20/24" },
  { name: "eth0", address: "fe80::1", cidr: "fe80::1/64" },
  { name: "eth0", address: "2620:fe::20", cidr: "2620:fe::20/64" },
];
const ROUTE = { gateway: "192.168.178.1", interface: "eth0" };

test("our address is the one in the network of the router", () => {
  const place = { address: "192.168.178.20", gateway: "192.168.178.1" };
  for (const host of ["::", "0.0.0.0", "192.168.178.20"]) {
    assert.deepEqual(placeIn(OWN, { family: 4, host, route: ROUTE }), place, host);
  }
});

test("with IPv6 it is an address of the world, and only when peers reach us there", () => {
  const route = { gateway: "fe80::99%eth0", interface: "eth0" };
  const place = { address: "2620:fe::20", gateway: "fe80::99%eth0" };
  assert.deepEqual(placeIn(OWN, { family: 6, host: "::", route }), place);
  assert.equal(placeIn(OWN, { family: 6, host: "0.0.0.0", route }), undefined);
  assert.equal(placeIn(OWN.slice(0, 5), { family: 6, host: "::", route }), undefined);
});

test("a host on another interface is not behind that router, and one on loopback is nowhere", () => {
  const bridge = placeIn(OWN, { family: 4, host: "172.17.0.1", route: ROUTE });
  assert.deepEqual(bridge, { address: "172.17.0.1", gateway: undefined });
  assert.equal(placeIn(OWN, { family: 4, host: "127.0.0.1", route: ROUTE }), undefined);
});

test("where the system tells no route there is an address and no router", () => {
  const place = placeIn(OWN.slice(2, 3), { family: 4, host: "::", route: undefined });
  assert.deepEqual(place, { address: "10.0.0.5", gateway: undefined });
});
