import assert from "node:assert/strict";
import { test } from "node:test";
import { SimFirewall } from "./sim-firewall.ts";
import { SimHome } from "./sim-home.ts";

const US = "2a00:77::2";
const BOTH = [`${US} 17 6881`, `${US} 6 6881`];
const HOUR_MS = 3_600_000;

function begin(refuses?: number) {
  const firewall = new SimFirewall();
  firewall.refuses = refuses;
  const home = new SimHome({ gateway: firewall, address: US });
  home.start();
  home.run(10_000);
  return { firewall, home };
}

test("UPnP opens the firewall for IPv6, keeps it open for a day, and closes it at the end", () => {
  const { firewall, home } = begin();
  assert.deepEqual(firewall.open(home.now), BOTH);
  const { state, protocol, router, mappings } = home.status();
  assert.deepEqual([state, protocol, router], ["works", "UPnP", firewall.address]);
  assert.deepEqual(
    mappings.map(({ transport, outerPort }) => [transport, outerPort]),
    [
      ["tcp", 6881],
      ["udp", 6881],
    ],
  );
  for (let hour = 0; hour < 24; hour += 1) {
    home.run(HOUR_MS);
    assert.deepEqual(firewall.open(home.now), BOTH);
  }
  assert.ok(firewall.asked.includes("UpdatePinhole"));
  assert.equal(firewall.asked.filter((action) => action === "AddPinhole").length, 2);
  home.stop();
  home.run(5_000);
  assert.deepEqual(firewall.open(home.now), []);
  assert.ok(home.mapper.isStopped);
});

test("a router that restarts has forgotten its pinholes: they are asked for again", () => {
  const { firewall, home } = begin();
  firewall.restart();
  home.run(10 * 60_000);
  assert.deepEqual(firewall.open(home.now), BOTH);
});

test("a firewall that is off is in nobody's way, and one that may not be opened is told", () => {
  const { firewall, home } = begin(702);
  assert.equal(home.status().case, "mapped");
  home.stop();
  home.run(5_000);
  assert.ok(!firewall.asked.includes("DeletePinhole"), "there is nothing to give back");

  const refused = begin(703).home;
  assert.equal(refused.status().case, "refused");
  assert.equal(refused.status().mappings.length, 0);
});

test("WIR-26: the name of a pinhole is a number, and a router without the service is none", () => {
  const { firewall } = begin();
  for (const name of ["x", "-1", "123456", ""]) {
    const home = new SimHome({
      gateway: firewall,
      address: US,
      answerHttp: ({ body }) => {
        const isAdd = Buffer.from(body ?? [])
          .toString()
          .includes("u:AddPinhole");
        const text = `<a><Body><AddPinholeResponse><UniqueID>${name}</UniqueID></AddPinholeResponse></Body></a>`;
        return isAdd ? { status: 200, body: Buffer.from(text) } : undefined;
      },
    });
    home.start();
    home.run(10_000);
    assert.equal(home.status().case, "refused", name);
  }
  const without = new SimHome({
    gateway: firewall,
    address: US,
    answerHttp: ({ method }) =>
      method === "GET" ? { status: 200, body: Buffer.from("<root/>") } : undefined,
  });
  without.start();
  without.run(20_000);
  assert.equal(without.status().case, "none");
});
