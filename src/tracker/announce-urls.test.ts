import assert from "node:assert/strict";
import { test } from "node:test";
import { announceUrls, lastingUdp, type UdpPlace } from "./announce-urls.ts";

const EVERYWHERE = { host: "0.0.0.0", port: 8420 };
const HERE = { host: "127.0.0.1", port: 8420 };

const cases: readonly (readonly [siteUrl: string, udp: UdpPlace | undefined, urls: string[]])[] = [
  ["https://hub.example", HERE, ["https://hub.example/announce"]],
  ["https://hub.example", { host: "::1", port: 1 }, ["https://hub.example/announce"]],
  ["https://hub.example", undefined, ["https://hub.example/announce"]],
  [
    "https://hub.example/site",
    EVERYWHERE,
    ["https://hub.example/site/announce", "udp://hub.example:8420/announce"],
  ],
  [
    "http://192.168.1.4:8000",
    EVERYWHERE,
    ["http://192.168.1.4:8000/announce", "udp://192.168.1.4:8420/announce"],
  ],
  [
    "http://127.0.0.1:8420",
    HERE,
    ["http://127.0.0.1:8420/announce", "udp://127.0.0.1:8420/announce"],
  ],
  ["http://localhost:80", HERE, ["http://localhost:80/announce", "udp://localhost:8420/announce"]],
  [
    "http://[::1]:8420",
    { host: "::1", port: 9 },
    ["http://[::1]:8420/announce", "udp://[::1]:9/announce"],
  ],
];

for (const [siteUrl, udp, urls] of cases) {
  test(`PUB-2.5: torrents of ${siteUrl} with UDP at ${udp?.host} name ${urls.length}`, () => {
    assert.deepEqual(announceUrls(siteUrl, udp), urls);
  });
}

test("torrents name the UDP port only when it is there after the next start, too", () => {
  const port = (wanted: number | undefined, named: boolean, bound: number): number | undefined =>
    lastingUdp({ host: "::", port: wanted, named }, { port: bound, webPort: 8420 })?.port;
  assert.equal(port(undefined, true, 8420), 8420);
  assert.equal(port(undefined, true, 40_001), undefined, "a free port instead of a taken one");
  assert.equal(port(6969, true, 6969), 6969);
  assert.equal(port(6969, false, 6969), undefined, "the owner does not want it named");
});
