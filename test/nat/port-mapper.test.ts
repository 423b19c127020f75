import assert from "node:assert/strict";
import { test } from "node:test";
import { SimGateway, type Spoken } from "./sim-gateway.ts";
import { SimHome, US } from "./sim-home.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ROUTER = "192.168.1.1";
const NAMES = { pcp: "PCP", natpmp: "NAT-PMP", upnp: "UPnP" } as const;

function home(options: ConstructorParameters<typeof SimGateway>[0]): {
  gateway: SimGateway;
  home: SimHome;
} {
  const gateway = new SimGateway(options);
  return { gateway, home: new SimHome({ gateway }) };
}

for (const spoken of ["pcp", "natpmp", "upnp"] as const satisfies Spoken[]) {
  test(`a router that speaks ${NAMES[spoken]} alone passes TCP and UDP on, under our number`, () => {
    const { gateway, home: here } = home({ speaks: [spoken] });
    here.start();
    here.run(8_000);
    assert.deepEqual(gateway.mappingsOf(US), [
      `tcp 6881 -> 6881 ${spoken}`,
      `udp 6881 -> 6881 ${spoken}`,
    ]);
    const status = here.status();
    assert.equal(status.case, "mapped");
    assert.equal(status.protocol, NAMES[spoken]);
    assert.equal(status.outerAddress, "9.1.2.3");
    assert.match(
      status.words,
      /^The router at 192\.168\.1\.1 passes 9\.1\.2\.3:6881 on to us, TCP and UDP/,
    );
    here.stop();
    here.run(2_000);
    assert.deepEqual(gateway.mappingsOf(US), [], "it is given back");
    assert.equal(here.mapper.isStopped, true);
    assert.equal(here.mapper.nextTimeout(), undefined);
  });

  test(`${NAMES[spoken]}: a mapping is renewed and holds for a day`, () => {
    const { gateway, home: here } = home({ speaks: [spoken] });
    here.start();
    here.run(8_000);
    for (let minutes = 0; minutes < 24 * 60; minutes += 10) {
      here.run(10 * MINUTE);
      gateway.expire(here.now);
      assert.equal(gateway.mappingsOf(US).length, 2, `after ${minutes} minutes`);
    }
    const adds = gateway.asked.filter((what) => /AddPort|pcp 1|natpmp [12]/.test(what)).length;
    assert.ok(adds < 400, `it asked ${adds} times`);
  });

  test(`${NAMES[spoken]}: a router that restarts gets the mappings again`, () => {
    const { gateway, home: here } = home({ speaks: [spoken] });
    here.start();
    here.run(40 * MINUTE);
    gateway.restart(here.now);
    assert.deepEqual(gateway.mappingsOf(US), []);
    here.run(6 * MINUTE);
    assert.equal(gateway.mappingsOf(US).length, 2);
    assert.equal(here.status().case, "mapped");
  });

  test(`${NAMES[spoken]}: a router that vanishes is looked for, and used when it is back`, () => {
    const { gateway, home: here } = home({ speaks: [spoken] });
    here.start();
    here.run(MINUTE);
    here.isUp = false;
    here.run(10 * MINUTE);
    assert.equal(here.status().case, "lost");
    assert.match(here.status().words, /192\.168\.1\.1 no longer answers/);
    gateway.restart(here.now);
    here.isUp = true;
    here.run(5 * MINUTE);
    assert.equal(gateway.mappingsOf(US).length, 2);
    assert.equal(here.status().case, "mapped");
  });

  test(`${NAMES[spoken]}: a new outer address is noticed`, () => {
    const { gateway, home: here } = home({ speaks: [spoken] });
    here.start();
    here.run(MINUTE);
    gateway.outer = "9.9.9.9";
    here.run(6 * MINUTE);
    assert.equal(here.status().outerAddress, "9.9.9.9");
    assert.equal(gateway.mappingsOf(US).length, 2);
  });

  test(`${NAMES[spoken]}: a router that stays away is asked less and less, and holds nothing`, () => {
    const { home: here } = home({ speaks: [spoken] });
    here.start();
    here.run(MINUTE);
    here.isUp = false;
    here.run(26 * HOUR);
    assert.equal(here.status().case, "none");
    assert.deepEqual(here.status().mappings, []);
    const before = here.sent.length + here.searches.length;
    here.run(HOUR);
    const asked = here.sent.length + here.searches.length - before;
    assert.ok(asked > 0 && asked < 200, `${asked} packets in an hour`);
  });
}

test("of a router that speaks all of them one protocol is used, and nothing is left behind", () => {
  const { gateway, home: here } = home({ speaks: ["pcp", "natpmp", "upnp"] });
  here.start();
  here.run(HOUR);
  assert.deepEqual(gateway.mappingsOf(US), ["tcp 6881 -> 6881 pcp", "udp 6881 -> 6881 pcp"]);
  assert.deepEqual(
    gateway.asked.filter((what) => what.startsWith("natpmp") || what.includes("AddPort")),
    [],
    "the others map nothing",
  );
  here.stop();
  here.run(2_000);
  assert.equal(gateway.table.size, 0);
});

test("RFC 6887, appendix A: a router that answers PCP with version 0 is asked by NAT-PMP at once", () => {
  const { gateway, home: here } = home({ speaks: ["natpmp"] });
  here.start();
  here.run(100);
  assert.equal(gateway.mappingsOf(US).length, 2);
});

test("RFC 6886, 3.1: the waits for an answer begin with 250 ms and double, nine times", () => {
  const here = new SimHome({ gateway: undefined });
  here.start();
  here.run(5 * MINUTE);
  const asked = here.sent.filter(({ packet }) => packet[0] === 0).map(({ atMs }) => atMs - 1_000);
  assert.deepEqual(asked, [0, 250, 750, 1_750, 3_750, 7_750, 15_750, 31_750, 63_750]);
  assert.equal(here.status().case, "none");
  assert.match(here.status().words, /^No router answers PCP, NAT-PMP or UPnP/);
  assert.match(
    here.status().remedy ?? "",
    /pass TCP and UDP port 6881 on to 192\.168\.1\.7 by hand/,
  );
});

test("RFC 6887, 8.1.1: the waits of PCP begin with about three seconds and double", () => {
  const here = new SimHome({ gateway: undefined });
  here.start();
  here.run(MINUTE);
  const times = here.sent.filter(({ packet }) => packet[0] === 2).map(({ atMs }) => atMs);
  const waits = times.slice(1).map((atMs, index) => atMs - times[index]!);
  assert.equal(times.length, 4);
  for (const [index, wait] of waits.entries()) {
    const middle = 3_000 * 2 ** index;
    assert.ok(wait >= middle * 0.9 && wait <= middle * 1.1, `${wait} ms`);
  }
});

test("people are told after ten seconds that no router answers", () => {
  const here = new SimHome({ gateway: undefined });
  here.start();
  here.run(9_000);
  assert.equal(here.status().case, "searching");
  here.run(2_000);
  assert.equal(here.status().case, "none");
});

for (const version of [1, 2] as const) {
  test(`UPnP ${version}: when another machine has our number, both transports get another one`, () => {
    const { gateway, home: here } = home({
      speaks: ["upnp"],
      version,
      taken: ["tcp 6881", "udp 6881"],
    });
    here.start();
    here.run(MINUTE);
    const mappings = gateway.mappingsOf(US);
    assert.equal(mappings.length, 2, String(mappings));
    const [tcp, udp] = here.status().mappings;
    assert.equal(tcp?.outerPort, udp?.outerPort);
    assert.notEqual(tcp?.outerPort, 6881);
    assert.equal(here.status().case, "mapped");
    if (version === 2) assert.ok(gateway.asked.includes("upnp AddAnyPortMapping"));
  });
}

for (const code of [725, 402] as const) {
  test(`UPnP: a router that grants permanent mappings only (${code}) is asked for those, and they are given back`, () => {
    const { gateway, home: here } = home({ speaks: ["upnp"], permanentOnly: code });
    here.start();
    here.run(HOUR);
    assert.deepEqual(
      [...gateway.table.values()].map(({ lifetime }) => lifetime),
      [0, 0],
    );
    assert.equal(here.status().mappings[0]?.secondsLeft, null);
    here.stop();
    here.run(2_000);
    assert.equal(gateway.table.size, 0);
  });
}

for (const spoken of ["pcp", "natpmp"] as const) {
  test(`${NAMES[spoken]}: when UDP gets another number than TCP, TCP follows`, () => {
    const { gateway, home: here } = home({ speaks: [spoken], taken: ["udp 6881"] });
    here.start();
    here.run(MINUTE);
    assert.deepEqual(gateway.mappingsOf(US), [
      `tcp 6882 -> 6881 ${spoken}`,
      `udp 6882 -> 6881 ${spoken}`,
    ]);
    here.stop();
    here.run(2_000);
    assert.deepEqual(gateway.mappingsOf(US), []);
  });
}

test("when the first protocol refuses, the next one is used", () => {
  const gateway = new SimGateway({ speaks: ["upnp"] });
  const strict = new SimGateway({ speaks: ["natpmp"], refuses: { result: 2, fault: 606 } });
  gateway.answerMapping = (packet, from, now) => strict.answerMapping(packet, from, now);
  const here = new SimHome({ gateway });
  here.start();
  here.run(10_000);
  assert.deepEqual(gateway.mappingsOf(US), ["tcp 6881 -> 6881 upnp", "udp 6881 -> 6881 upnp"]);
  assert.equal(here.status().protocol, "UPnP");
});

for (const spoken of ["pcp", "natpmp", "upnp"] as const) {
  test(`${NAMES[spoken]}: a refusal is told in words, with what to do`, () => {
    const { home: here } = home({ speaks: [spoken], refuses: { result: 2, fault: 606 } });
    here.start();
    here.run(3 * MINUTE);
    const { case: what, words, remedy } = here.status();
    assert.equal(what, "refused");
    assert.match(words, /^The router at 192\.168\.1\.1 does not let this machine map ports/);
    assert.match(
      remedy ?? "",
      /^Allow it in the settings of the router, or pass TCP and UDP port 6881/,
    );
  });
}

test("a router that is asked for TCP only maps TCP only", () => {
  const gateway = new SimGateway({ speaks: ["pcp"] });
  const here = new SimHome({ gateway, ports: { tcp: 6881, udp: undefined } });
  here.start();
  here.run(1_000);
  assert.deepEqual(gateway.mappingsOf(US), ["tcp 6881 -> 6881 pcp"]);
});

for (const [outer, words, remedy] of [
  [
    "100.70.3.4",
    "The router at 192.168.1.1 maps ports, but its own address 100.70.3.4 is private: another router stands between it and the internet, and peers there cannot connect to this machine.",
    /^That other router is your provider's: ask for a public IPv4 address, or use IPv6\.$/,
  ],
  [
    "192.168.0.17",
    "The router at 192.168.1.1 maps ports, but its own address 192.168.0.17 is private: another router stands between it and the internet, and peers there cannot connect to this machine.",
    /bridge mode, or pass TCP and UDP port 6881 on to 192\.168\.0\.17 in the other one/,
  ],
  [
    "0.0.0.0",
    "The router at 192.168.1.1 maps ports, but has no address outside: it is not connected to the internet.",
    /connection/,
  ],
] as const) {
  for (const spoken of ["pcp", "natpmp", "upnp"] as const) {
    test(`${NAMES[spoken]}: a router whose own address is ${outer} is no way to the world, and people are told so`, () => {
      const { home: here } = home({ speaks: [spoken], outer });
      here.start();
      here.run(10_000);
      assert.equal(here.status().case, "double-nat");
      assert.equal(here.status().state, "warns");
      assert.equal(here.status().words, words);
      assert.match(here.status().remedy ?? "", remedy);
    });
  }
}

test("an announcement of a restarted router brings the mappings back within seconds", () => {
  const { gateway, home: here } = home({ speaks: ["natpmp"] });
  here.start();
  here.run(40 * MINUTE);
  gateway.restart(here.now);
  here.announce(gateway.announcement(here.now), { address: ROUTER, port: 5351 });
  here.run(12_000);
  assert.equal(gateway.mappingsOf(US).length, 2);
});

test("a mapping that is granted when another protocol is in use already is given back", () => {
  const gateway = new SimGateway({ speaks: ["pcp", "upnp"] });
  const answer = gateway.answerMapping.bind(gateway);
  const here = new SimHome({ gateway });
  const late: Buffer[] = [];
  gateway.answerMapping = (packet, from, now) => {
    const reply = answer(packet, from, now);
    if (packet[1] !== 1 || !reply) return reply;
    late.push(reply);
    return undefined;
  };
  here.start();
  here.run(2 * MINUTE);
  assert.equal(here.status().protocol, "UPnP");
  const [grant] = late;
  assert.ok(grant);
  here.tell(grant, { address: ROUTER, port: 5351 });
  here.run(MINUTE);
  const gone = here.sent.filter(({ packet }) => packet[1] === 1 && packet.readUInt32BE(4) === 0);
  assert.ok(gone.length > 0, "it is given back");
  assert.deepEqual(gone[0]!.packet.subarray(24, 36), grant.subarray(24, 36), "under its nonce");
  assert.equal(here.status().case, "mapped");
  assert.equal(gateway.mappingsOf(US).length, 2);
});

test("an orderly stop in the middle of mapping leaves nothing behind", () => {
  for (const spoken of ["pcp", "natpmp", "upnp"] as const) {
    for (let ms = 0; ms < 60; ms += 3) {
      const { gateway, home: here } = home({ speaks: [spoken] });
      here.start();
      here.run(ms);
      here.stop();
      here.run(2_000);
      assert.deepEqual(gateway.mappingsOf(US), [], `${spoken}, stopped after ${ms} ms`);
    }
  }
});
