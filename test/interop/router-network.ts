import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { routerPorts } from "../../src/daemon/router-ports.ts";
import { RouterService } from "../../src/nat/router-service.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { UdpNet } from "../../src/platform/udp-net.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import type { DatagramNet } from "../../src/ports/net.ts";
import { temporaryFolder } from "./content.ts";
import { startHub, initialise } from "./hub-process.ts";
import { Network } from "./network.ts";

// Run by `miniupnpd.test.ts` in a network of its own, which gets a router and, behind it, an internet.

const US = "192.168.77.2";
const ROUTER = "192.168.77.1";
const OUTSIDE = "9.1.2.3";
const PORT = 16_881;
/** The same for IPv6, where nothing is translated. */
const US_IPV6 = "2a00:77::2";
const ROUTER_IPV6 = "2a00:77::1";

/** The router's rules: nothing comes in but what its daemon lets in. */
const RULES = `table inet filter {
  chain forward { type filter hook forward priority 0; policy drop;
    ct state established,related accept; iifname "lan1" accept; jump miniupnpd; }
  chain miniupnpd { }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain postrouting { type nat hook postrouting priority 100; oifname "wan0" masquerade; jump postrouting_miniupnpd; }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}`;

const CONFIG = `ext_ifname=wan0
listening_ip=lan1
secure_mode=yes
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
uuid=c0ffee00-0000-4000-8000-000000000001
allow 1024-65535 192.168.77.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;

const router = new Network();
const internet = new Network();
process.on("exit", () => {
  router.close();
  internet.close();
});
await connectNetworks();

async function connectNetworks(): Promise<void> {
  await Promise.all([router.opened(), internet.opened()]);
  const ip = (...words: string[]) => execFileSync("ip", words);
  ip("link", "set", "lo", "up");
  ip("link", "add", "lan0", "type", "veth", "peer", "name", "lan1");
  ip("link", "set", "lan1", "netns", String(router.pid));
  ip("addr", "add", `${US}/24`, "dev", "lan0");
  ip("link", "set", "lan0", "up");
  router.run("ip", "link", "set", "lo", "up");
  router.run("ip", "addr", "add", `${ROUTER}/24`, "dev", "lan1");
  router.run("ip", "link", "set", "lan1", "up");
  router.run("ip", "link", "add", "wan0", "type", "veth", "peer", "name", "wan1");
  router.run("ip", "link", "set", "wan1", "netns", String(internet.pid));
  router.run("ip", "addr", "add", `${OUTSIDE}/24`, "dev", "wan0");
  router.run("ip", "link", "set", "wan0", "up");
  internet.run("ip", "addr", "add", "9.1.2.9/24", "dev", "wan1");
  internet.run("ip", "link", "set", "wan1", "up");
  ip("route", "add", "default", "via", ROUTER);
  const at = (address: string, device: string) => ["-6", "addr", "add", address, "dev", device];
  ip(...at(`${US_IPV6}/64`, "lan0"), "nodad");
  router.run("ip", ...at(`${ROUTER_IPV6}/64`, "lan1"), "nodad");
  router.run("ip", ...at("2a00:99::1/64", "wan0"), "nodad");
  internet.run("ip", ...at("2a00:99::9/64", "wan1"), "nodad");
  ip("-6", "route", "add", "default", "via", ROUTER_IPV6);
  internet.run("ip", "-6", "route", "add", "2a00:77::/64", "via", "2a00:99::1");
  router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
  router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
  router.run("nft", RULES);
}

/** Starts the router's daemon for one test. */
async function startDaemon(
  t: TestContext,
  speaks: { readonly natpmp: "yes" | "no"; readonly upnp: "yes" | "no" },
): Promise<void> {
  const folder = temporaryFolder(t);
  const config = path.join(folder, "miniupnpd.conf");
  const { natpmp, upnp } = speaks;
  writeFileSync(
    config,
    `${CONFIG}enable_natpmp=${natpmp}\nenable_upnp=${upnp}\nlease_file=${folder}/leases\n`,
  );
  const daemon = router.start("miniupnpd", "-d", "-f", config, "-P", path.join(folder, "pid"));
  t.after(async () => {
    daemon.kill();
    if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, "exit");
  });
  await sleep(500);
  assert.equal(daemon.exitCode, null, "miniupnpd runs");
}

/** What the router passes on: "tcp 16881 192.168.77.2:16881". nft shows the protocol as a byte of the packet's head. */
function passedOn(): string[] {
  const rules = router.run("nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd");
  const found = rules.matchAll(/ (0x6|0x11|tcp|udp) .*dport (\d+) dnat ip to (\S+)/g);
  const named = { "0x6": "tcp", "0x11": "udp" } as Readonly<Record<string, string>>;
  return [...found].map(([, by = "", port, to]) => `${named[by] ?? by} ${port} ${to}`).toSorted();
}

/** True when somebody in the internet can connect to that port of the router, or of an address. */
function isReached(port: number, address = OUTSIDE): boolean {
  const connect = `require("net").connect(${port}, "${address}").on("connect", () => process.exit(0)).on("error", () => process.exit(1)); setTimeout(() => process.exit(1), 1000)`;
  const [program, ...words] = internet.words(process.execPath, "-e", connect);
  return spawnSync(program, words).status === 0;
}

/** Drops the packets of PCP, so that NAT-PMP is left. */
function withoutPcp(real: DatagramNet): DatagramNet {
  return {
    resolve: (host) => real.resolve(host),
    async bind(options) {
      const socket = await real.bind(options);
      return {
        local: socket.local,
        send: (bytes, to) => bytes[0] !== 2 && socket.send(bytes, to),
        afterBurst: (fire) => socket.afterBurst(fire),
        close: () => socket.close(),
      };
    },
  };
}

for (const [protocol, natpmp, upnp] of [
  ["PCP", "yes", "no"],
  ["NAT-PMP", "yes", "no"],
  ["UPnP", "no", "yes"],
] as const) {
  void test(`${protocol} with miniupnpd`, { timeout: 40_000 }, async (t) => {
    await startDaemon(t, { natpmp, upnp });
    const listener = net.createServer((socket) => socket.destroy());
    listener.listen(PORT, US);
    await once(listener, "listening");
    t.after(() => listener.close());
    assert.equal(isReached(PORT), false, "nobody gets in before");
    const real = new UdpNet();
    const service = new RouterService({
      ...routerPorts("0.0.0.0"),
      clock: new NodeClock(),
      random: new NodeRandom(),
      log: SILENT_LOG,
      datagrams: protocol === "NAT-PMP" ? withoutPcp(real) : real,
      ports: () => ({ tcp: PORT, udp: PORT }),
    });
    t.after(() => service.close());
    for (let tries = 0; service.status().state === "waits" && tries < 100; tries += 1) {
      await sleep(100);
    }
    const { words, protocol: by, outerAddress } = service.status();
    assert.deepEqual([by, outerAddress], [protocol, OUTSIDE], words);
    assert.deepEqual(passedOn(), [`tcp ${PORT} ${US}:${PORT}`, `udp ${PORT} ${US}:${PORT}`]);
    assert.equal(isReached(PORT), true, "a peer outside connects");
    await service.close();
    assert.deepEqual(passedOn(), [], "it is given back");
    assert.equal(isReached(PORT), false);
  });
}

for (const protocol of ["PCP", "UPnP"] as const) {
  void test(
    `${protocol} opens the firewall of miniupnpd for IPv6`,
    { timeout: 40_000 },
    async (t) => {
      await startDaemon(t, { natpmp: "no", upnp: "yes" });
      const listener = net.createServer((socket) => socket.destroy());
      listener.listen(PORT, US_IPV6);
      await once(listener, "listening");
      t.after(() => listener.close());
      assert.equal(isReached(PORT, US_IPV6), false, "nobody gets in before");
      const real = new UdpNet();
      const service = new RouterService({
        ...routerPorts("::"),
        clock: new NodeClock(),
        random: new NodeRandom(),
        log: SILENT_LOG,
        datagrams: protocol === "PCP" ? real : withoutPcp(real),
        ports: () => ({ tcp: PORT, udp: PORT }),
      });
      t.after(() => service.close());
      const status = () => service.status().ipv6;
      for (let tries = 0; status()?.state !== "works" && tries < 200; tries += 1) await sleep(100);
      assert.deepEqual(
        [status()?.protocol, status()?.case],
        [protocol, "mapped"],
        status()?.words ?? "",
      );
      assert.equal(isReached(PORT, US_IPV6), true, "a peer outside connects");
      await service.close();
      assert.equal(isReached(PORT, US_IPV6), false, "it is given back");
    },
  );
}

void test("HUB-2: a hub behind miniupnpd is reached at its port for peers, and not at its web site", async (t) => {
  await startDaemon(t, { natpmp: "yes", upnp: "yes" });
  const folder = temporaryFolder(t);
  initialise(folder);
  const env = {
    EVERSEED_HOST: "0.0.0.0",
    EVERSEED_ENGINE_PORT: String(PORT),
    EVERSEED_DISCOVERY_DHT: "false",
    EVERSEED_ROUTER_MAP_PORTS: "true",
  };
  const hub = await startHub(t, folder, env);
  for (let tries = 0; passedOn().length < 2 && tries < 100; tries += 1) await sleep(100);
  assert.deepEqual(passedOn(), [`tcp ${PORT} ${US}:${PORT}`, `udp ${PORT} ${US}:${PORT}`]);
  assert.equal(isReached(PORT), true);
  assert.equal(isReached(hub.port), false);
  await hub.running.stop();
  assert.deepEqual(passedOn(), [], "a hub that stops gives the port back");
});
