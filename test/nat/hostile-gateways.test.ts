import assert from "node:assert/strict";
import { test } from "node:test";
import { done, SimGateway } from "./sim-gateway.ts";
import { SimHome, US } from "./sim-home.ts";

// Anybody in our network may send what a router would, and a router may be the attacker (WIR-26).

const MINUTE = 60_000;
const ROUTER = "192.168.1.1";
const EVIL = "192.168.1.66";
const GATEWAY_TYPE = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";

const searchAnswer = (location: string): Buffer =>
  Buffer.from(`HTTP/1.1 200 OK\r\nST: ${GATEWAY_TYPE}\r\nLOCATION: ${location}\r\n\r\n`);

test("WIR-26: answers of NAT-PMP and PCP from another address or port than the router's are dropped", () => {
  const gateway = new SimGateway({ speaks: ["pcp", "natpmp"] });
  for (const from of [
    { address: EVIL, port: 5351 },
    { address: ROUTER, port: 5352 },
  ]) {
    const here = new SimHome({ gateway });
    here.isUp = false;
    here.start();
    here.run(2_000);
    for (const { packet } of here.sent.slice()) {
      const reply = gateway.answerMapping(packet, US, here.now);
      if (reply) here.tell(reply, from);
    }
    here.run(1_000);
    assert.ok(
      here.sent.every(({ packet }) => packet[1] === 0),
      "nothing is mapped",
    );
    assert.equal(here.status().outerAddress, null);
  }
});

test("WIR-26: an answer of PCP with another nonce is dropped", () => {
  const gateway = new SimGateway({ speaks: ["pcp"] });
  const answer = gateway.answerMapping.bind(gateway);
  gateway.answerMapping = (packet, from, now) => {
    const reply = answer(packet, from, now);
    if (reply && packet[1] === 1) reply[30]! ^= 1;
    return reply;
  };
  const here = new SimHome({ gateway });
  here.start();
  here.run(MINUTE);
  assert.deepEqual(here.status().mappings, []);
});

test("WIR-26: made-up announcements of restarts bring one round of requests in ten seconds at most", () => {
  for (const speaks of [["natpmp"], ["pcp"]] as const) {
    const gateway = new SimGateway({ speaks });
    const here = new SimHome({ gateway });
    here.start();
    here.run(20 * MINUTE);
    const before = here.sent.length;
    const packet = speaks[0] === "pcp" ? Buffer.alloc(24) : gateway.announcement(here.now);
    if (speaks[0] === "pcp") packet.set([2, 128]);
    for (let n = 0; n < 10_000; n += 1) {
      packet.writeUInt32BE((n * 7_919) % 100_000, speaks[0] === "pcp" ? 8 : 4);
      here.announce(packet, { address: ROUTER, port: 5351 });
      here.run(6);
    }
    assert.ok(here.sent.length - before < 40, `${here.sent.length - before} packets in a minute`);
    here.run(5 * MINUTE);
    assert.equal(here.status().case, "mapped");
    assert.equal(gateway.mappingsOf(US).length, 2);
  }
});

for (const lifetime of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
  for (const speaks of [["natpmp"], ["pcp"]] as const) {
    test(`WIR-26: ${speaks[0]}: a lifetime of ${lifetime} neither busies nor fools us`, () => {
      const gateway = new SimGateway({ speaks, lifetime });
      const here = new SimHome({ gateway });
      here.start();
      here.run(60 * MINUTE);
      assert.ok(here.sent.length < 400, `${here.sent.length} packets in an hour`);
      for (const { secondsLeft } of here.status().mappings) assert.ok(secondsLeft! <= 86_400);
      assert.equal(here.status().case, lifetime === 0 ? "refused" : "mapped");
    });
  }
}

test("WIR-26: a flood of search answers leads to four devices at most, and the gateway keeps its place", () => {
  const gateway = new SimGateway({ speaks: ["upnp"] });
  const here = new SimHome({ gateway, latencyMs: 500 });
  here.start();
  for (let n = 0; n < 5_000; n += 1) {
    here.tellSearch(searchAnswer(`http://${EVIL}:${1 + n}/d.xml`), { address: EVIL, port: 1900 });
  }
  here.run(20_000);
  assert.equal(gateway.mappingsOf(US).length, 2);
  const evil = here.requests.filter(({ url }) => url.includes(EVIL));
  assert.equal(evil.length, 0, "the gateway answered: nobody else is asked");
});

test("WIR-26: without a gateway that speaks UPnP, four of five thousand devices are asked, one after another", () => {
  const here = new SimHome({ gateway: undefined, answerHttp: () => "never" });
  here.start();
  for (let n = 0; n < 5_000; n += 1) {
    here.tellSearch(searchAnswer(`http://${EVIL}:${1 + n}/d.xml`), { address: EVIL, port: 1900 });
  }
  here.run(5 * MINUTE);
  assert.equal(here.requests.length, 4);
});

for (const [what, from, location] of [
  ["at another machine", ROUTER, `http://${EVIL}/d.xml`],
  ["at this machine", ROUTER, "http://127.0.0.1:8420/d.xml"],
  ["by a name", ROUTER, "http://hub.lan/d.xml"],
  ["outside our network", "9.9.9.9", "http://9.9.9.9/d.xml"],
  ["of another scheme", ROUTER, "file:///etc/passwd"],
] as const) {
  test(`WIR-26: house rule 8: a description ${what} is not fetched`, () => {
    const here = new SimHome({ gateway: undefined });
    here.start();
    here.tellSearch(searchAnswer(location), { address: from, port: 1900 });
    here.run(10_000);
    assert.deepEqual(here.requests, []);
  });
}

const httpCases: [what: string, answer: ConstructorParameters<typeof SimHome>[0]["answerHttp"]][] =
  [
    ["redirects", () => ({ status: 302, body: new Uint8Array() })],
    ["never ends its answers", () => "never"],
    ["answers more than is read", () => ({ status: 200, body: undefined })],
    ["answers with junk", () => ({ status: 200, body: Buffer.from("\0\u{fffd}<<<>>>") })],
    [
      "sends an entity bomb",
      () => ({ status: 200, body: Buffer.from('<!DOCTYPE r [<!ENTITY a "&a;">]><r/>') }),
    ],
  ];
for (const [what, answerHttp] of httpCases) {
  test(`WIR-26: UPnP: a router that ${what} is left alone after a few requests`, () => {
    const gateway = new SimGateway({ speaks: ["upnp"] });
    const here = new SimHome({ gateway, answerHttp: answerHttp! });
    here.start();
    here.run(9 * MINUTE);
    assert.ok(here.requests.length <= 2, `${here.requests.length} requests`);
    assert.equal(here.status().case, "none");
    for (const { bytesMax, timeoutMs } of here.requests) {
      assert.ok(bytesMax <= 128 * 1024 && timeoutMs <= 5_000);
    }
  });

  test(`WIR-26: UPnP: a service that ${what} when it is to map is given up`, () => {
    const gateway = new SimGateway({ speaks: ["upnp"] });
    const here: SimHome = new SimHome({
      gateway,
      answerHttp: (request) => {
        const body = Buffer.from(request.body ?? []).toString();
        if (body.includes("AddPortMapping")) return answerHttp!(request);
        const { pathname: path } = new URL(request.url);
        const reply = gateway.answerHttp({ method: request.method, path, body }, here.now);
        return { status: reply.status, body: Buffer.from(reply.body) };
      },
    });
    here.start();
    here.run(9 * MINUTE);
    assert.ok(here.requests.length < 8, `${here.requests.length} requests`);
    assert.deepEqual(here.status().mappings, []);
  });
}

test("WIR-26: UPnP: numbers and addresses that are none are not taken", () => {
  for (const [address, port] of [
    ["<script>", "99999"],
    ["999.1.1.1", "-1"],
    ["2620:fe::1 evil", "0x10"],
  ]) {
    const gateway = new SimGateway({
      speaks: ["upnp"],
      version: 2,
      taken: ["tcp 6881", "udp 6881"],
    });
    const here: SimHome = new SimHome({
      gateway,
      answerHttp: (request) => {
        const body = Buffer.from(request.body ?? []).toString();
        const { pathname: path } = new URL(request.url);
        const own = body.includes("GetExternalIPAddress")
          ? done("GetExternalIPAddress", `<NewExternalIPAddress>${address}</NewExternalIPAddress>`)
          : body.includes("AddAnyPortMapping")
            ? done("AddAnyPortMapping", `<NewReservedPort>${port}</NewReservedPort>`)
            : gateway.answerHttp({ method: request.method, path, body }, here.now);
        return { status: own.status, body: Buffer.from(own.body) };
      },
    });
    here.start();
    here.run(MINUTE);
    const { outerAddress, mappings } = here.status();
    assert.ok(outerAddress === null || outerAddress === "", String(outerAddress));
    for (const { outerPort } of mappings) assert.ok(outerPort > 0 && outerPort <= 65_535);
  }
});
