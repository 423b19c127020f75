import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HASH,
  numberAt,
  PEER_ID,
  peersOf,
  TORRENT,
  trackerWorld,
} from "../../test/tracker/tracker-world.ts";

const REST = "&uploaded=0&downloaded=0&left=1&compact=1";
const GOOD = `info_hash=${HASH}&peer_id=${PEER_ID}&port=6881${REST}`;

const refused: readonly (readonly [what: string, query: string, reason: RegExp])[] = [
  ...["0", "65536", "71617", "1e3", "0x1AE1", "%206881", "-1", ""].map(
    (port) =>
      [
        `TRK-3: port ${JSON.stringify(port)}`,
        `info_hash=${HASH}&peer_id=${PEER_ID}&port=${port}`,
        /port must be a whole number/,
      ] as const,
  ),
  ["TRK-3: no port", `info_hash=${HASH}&peer_id=${PEER_ID}`, /port is missing/],
  ...[19, 21, 40].map(
    (bytes) =>
      [
        `TRK-4: infohash of ${bytes} bytes`,
        `info_hash=${"%aa".repeat(bytes)}&peer_id=${PEER_ID}&port=1`,
        /info_hash must be 20 bytes/,
      ] as const,
  ),
  ["TRK-4: broken escape", `info_hash=%a&peer_id=${PEER_ID}&port=1`, /not followed by two hex/],
  ["TRK-4: infohash twice", `${GOOD}&info_hash=${HASH}`, /given more than once/],
  ["TRK-4: no infohash", `peer_id=${PEER_ID}&port=1`, /info_hash is missing/],
  ["TRK-5: negative uploaded", `${GOOD}&uploaded=-1`, /uploaded must be/],
  ["TRK-5: huge downloaded", `${GOOD}&downloaded=99999999999999999999`, /downloaded must be/],
  ["TRK-5: negative left", GOOD.replace("left=1", "left=-5"), /left must be/],
  ["TRK-12: 10 000 parameters", `${GOOD}${"&a=b".repeat(1000)}`, /too many parameters/],
  ["TRK-15: SQL as an event", `${GOOD}&event=';drop%20table%20torrents;--`, /event must be/],
  [
    "TRK-20: not registered",
    `info_hash=${"%bb".repeat(20)}&peer_id=${PEER_ID}&port=1`,
    /not registered here/,
  ],
];

for (const [what, query, reason] of refused) {
  test(`${what} is refused with a reason, and nothing is stored`, () => {
    const world = trackerWorld();
    const text = world.get(`/announce?${query}`);
    assert.match(text, /^d14:failure reason\d+:/);
    assert.match(text, reason);
    assert.equal(world.swarms.peerCount, 0);
  });
}

test("TRK-12: a URL of 100 kB gets 414, another path 404, both in a tracker's format", () => {
  const world = trackerWorld();
  const asker = { address: new Uint8Array([1, 2, 3, 4]), local: undefined };
  assert.equal(world.http.answer(`/announce?${"a".repeat(100_000)}`, asker).status, 414);
  const { status, body } = world.http.answer("/elsewhere", asker);
  assert.equal(status, 404);
  assert.match(Buffer.from(body).toString(), /failure reason/);
});

test("TRK-11: a storm from one address gets 429, others their answers", () => {
  const world = trackerWorld({ requestsPerSecondMax: 3 });
  const statusFor = (last: number): number =>
    world.http.answer(`/announce?${GOOD}`, {
      address: new Uint8Array([198, 51, 100, last]),
      local: undefined,
    }).status;
  const statuses = Array.from({ length: 40 }, () => statusFor(7));
  assert.equal(statuses.indexOf(429), 30);
  assert.ok(statuses.slice(30).every((status) => status === 429));
  assert.equal(statusFor(8), 200);
  world.clock.pass(1);
  assert.equal(statusFor(7), 200);
});

test("PUB-3.1: announce and scrape are told apart by path", () => {
  const world = trackerWorld();
  for (const path of ["/announce", "/announce/"]) {
    assert.equal(numberAt(world.get(`${path}?${GOOD}`), "interval"), 720, path);
  }
  for (const path of ["/scrape", "/scrape/"]) {
    assert.match(world.get(`${path}?info_hash=${HASH}`), /^d5:filesd20:/, path);
  }
});

test("PUB-3.2, PUB-3.4: an announce with unusual spellings gets exactly the specified reply", () => {
  const world = trackerWorld({ everseed: false });
  const text = world.get(
    `/announce/?info_hash=${HASH}&peer_id=${PEER_ID}&ip=&port=6969&uploaded=0&downloaded=0` +
      "&left=0&event=started&numwant=3&compact=YES!&key=abc&trackerid=",
  );
  assert.equal(
    text,
    "d8:completei2e10:downloadedi0e11:external ip4:\xc63d\x0710:incompletei0e8:intervali720e" +
      "12:min intervali240e5:peers0:10:tracker id11:EVERTRACKER15:warning message0:e",
  );
});

test("PUB-3.3, PUB-3.8: as many peers as asked, in six bytes each, never the asker", () => {
  const world = trackerWorld();
  for (let port = 1; port <= 30; port += 1) world.announce(port);
  for (const count of [0, 1, 3, 29]) {
    const peers = peersOf(world.announce(1, `&numwant=${count}`));
    assert.equal(peers.length, count);
    assert.equal(new Set(peers).size, count);
    assert.ok(!peers.includes("198.51.100.7:1"));
  }
  assert.equal(peersOf(world.announce(1, "&numwant=99")).length, 30, "29 and the everseed");
});

test("TRK-6: no more than 200 peers, whatever is asked", () => {
  const world = trackerWorld();
  for (let port = 1; port <= 300; port += 1) world.announce(port);
  assert.equal(peersOf(world.announce(1, "&numwant=1000000000")).length, 200);
  assert.equal(peersOf(world.announce(1)).length, 50);
});

test("PUB-3.9: a peer with nothing left is a seed, and gets no seeds", () => {
  const world = trackerWorld();
  world.announce(1, "&left=0");
  world.announce(2, "&left=0");
  assert.equal(peersOf(world.announce(2, "&left=0")).length, 0);
  const text = world.announce(3);
  assert.equal(numberAt(text, "complete"), 3, "two seeds and the everseed");
  assert.equal(numberAt(text, "incomplete"), 1);
  assert.equal(peersOf(text).length, 3);
  assert.deepEqual(peersOf(world.announce(4, "&left=5&event=paused")), ["198.51.100.7:3"]);
});

const askedAgain: readonly (readonly [
  who: string,
  before: string[],
  now: string,
  seeds: boolean,
])[] = [
  ["a peer that completes", ["&left=5&event=started"], "&left=0&event=completed", false],
  ["a peer that completed elsewhere", [], "&left=0&event=completed", false],
  ["a peer that was a seed before", ["&left=0&event=started"], "&left=0", false],
  ["a peer that suddenly has everything", ["&left=5&event=started"], "&left=0", false],
  ["a partial seed", [], "&left=5&event=paused", false],
  ["aria2 with a magnet link", [], "&left=0&event=started", true],
  ["another program with a magnet link", [], "&left=0", true],
  ["a program with a magnet link, killed and started", ["&left=0"], "&left=0&event=started", true],
  ["libtorrent with a magnet link", ["&left=16384&event=started"], "&left=16384", true],
  ["aria2 that has the metadata", ["&left=0&event=started"], "&left=9&event=started", true],
];

for (const [who, before, now, seeds] of askedAgain) {
  test(`PUB-1.3, PUB-3.9: ${who} meets ${seeds ? "" : "no "}seeds`, () => {
    const world = trackerWorld();
    world.announce(8, "&left=7");
    for (const seed of [6, 6, 7]) world.announce(seed, "&left=0");
    for (const said of before) world.announce(1, said);
    const peers = peersOf(world.announce(1, now)).toSorted();
    const leecher = "198.51.100.7:8";
    const all = ["198.51.100.7:6", "198.51.100.7:7", leecher, "9.9.9.9:8421"];
    assert.deepEqual(peers, seeds ? all : [leecher]);
  });
}

test("PUB-1.3: leechers get the everseed at the address they asked", () => {
  const world = trackerWorld();
  const text = world.get(`/announce?${GOOD}`, "203.0.113.5", "203.0.113.1");
  assert.deepEqual(peersOf(text), ["203.0.113.1:8421"]);
});

test("PUB-3.10: a scrape reports peers, seeds, completions and bytes", () => {
  const world = trackerWorld();
  world.announce(1, "&event=started");
  world.announce(2, "&left=0");
  world.announce(3, "&left=9&event=paused");
  world.clock.pass(300);
  const counters = `info_hash=${HASH}&peer_id=${PEER_ID}&port=1&uploaded=50&downloaded=1000`;
  world.get(`/announce?${counters}&left=0&event=completed`);
  const text = world.get(`/scrape?info_hash=${HASH}&info_hash=${"%bb".repeat(20)}`);
  const expected = {
    complete: 3,
    incomplete: 1,
    downloaders: 0,
    downloaded: 1,
    total_downloaded: 1000,
    total_uploaded: 50,
    min_request_interval: 240,
  };
  for (const [key, value] of Object.entries(expected))
    assert.equal(numberAt(text, key), value, key);
  assert.ok(!text.includes("\xbb"), "untracked torrents are left out");
});

test("PUB-3.10: a full scrape reports the same for all torrents, dormant ones too", async () => {
  const [v1, v2] = [new Uint8Array(20).fill(0xbb), new Uint8Array(32).fill(0xcc)];
  const dormant = { v1: new Uint8Array(20).fill(0xdd) };
  const world = trackerWorld({
    torrents: [TORRENT, { v1, v2 }, dormant],
    saved: { ["dd".repeat(20)]: { completed: 3, uploaded: 5, downloaded: 7 } },
    fullScrape: true,
  });
  world.announce(1, "&event=started");
  world.announce(2, "&left=0");
  const hybrid = `info_hash=${"%cc".repeat(20)}&peer_id=${PEER_ID}&port=3&uploaded=0`;
  world.get(`/announce?${hybrid}&downloaded=0&left=5&event=started`);
  world.clock.pass(300);
  const counters = `info_hash=${HASH}&peer_id=${PEER_ID}&port=1&uploaded=50&downloaded=1000`;
  world.get(`/announce?${counters}&left=0&event=completed`);
  const files = [
    ["\xaa", { complete: 3, downloaded: 1, downloaders: 0, incomplete: 0 }, [1000, 50]],
    ["\xbb", { complete: 1, downloaded: 0, downloaders: 1, incomplete: 1 }, [0, 0]],
    ["\xdd", { complete: 1, downloaded: 3, downloaders: 0, incomplete: 0 }, [7, 5]],
  ] as const;
  const expected = files.map(([byte, counts, [downloaded, uploaded]]) => {
    const numbers = Object.entries(counts).map(([key, value]) => `${key.length}:${key}i${value}e`);
    const bytes = `16:total_downloadedi${downloaded}e14:total_uploadedi${uploaded}e`;
    return `20:${byte.repeat(20)}d${numbers.join("")}${bytes}e`;
  });
  const end = "5:flagsd20:min_request_intervali240eee";
  assert.equal(await world.getAll(), `d5:filesd${expected.join("")}e${end}`);
});

test("TRK-7: a full scrape is bounded, and rebuilt once a minute, for all clients", async () => {
  const torrents = Array.from({ length: 6_000 }, (_, number) => {
    const v1 = new Uint8Array(20);
    new DataView(v1.buffer).setUint32(0, number + 1);
    return { v1 };
  });
  const world = trackerWorld({ torrents: [TORRENT, ...torrents], fullScrape: true });
  const first = await world.getAll();
  assert.equal(first.split("8:complete").length - 1, 5_000);
  assert.ok(first.length < 1_000_000, `${first.length} bytes`);
  world.announce(1);
  assert.equal(await world.getAll("203.0.113.5"), first);
  world.clock.pass(60);
  const later = await world.getAll();
  assert.equal(later.split("10:incompletei1e").length - 1, 1, "swarms with peers come first");
  assert.equal(later.split("8:complete").length - 1, 5_000);
});

test("TRK-7: a full scrape, unless enabled, and a scrape of too many torrents are refused", () => {
  const world = trackerWorld();
  assert.match(world.get("/scrape"), /failure reason/);
  const many = Array.from({ length: 75 }, () => `info_hash=${HASH}`).join("&");
  assert.match(world.get(`/scrape?${many}`), /at most 74/);
});

test("TRK-1: a claimed address is believed only from configured sources", () => {
  const world = trackerWorld({ believesClaimsFrom: ([first]) => first === 192 });
  world.announce(1, "&ip=203.0.113.99");
  world.announce(2, "&ip=203.0.113.98", "127.0.0.1");
  world.announce(3, "&ip=203.1.113.50", "192.168.1.4");
  world.announce(4, "&ip=192.168.1.1", "192.168.1.5");
  assert.deepEqual(peersOf(world.announce(9)).toSorted(), [
    "127.0.0.1:2",
    "192.168.1.5:4",
    "198.51.100.7:1",
    "203.1.113.50:3",
    "9.9.9.9:8421",
  ]);
});

test("TRK-1: behind an unknown proxy, strangers look near, but their claims are still not believed", () => {
  const world = trackerWorld({ everseed: false, believesClaimsFrom: () => true });
  const loopback = new Uint8Array([127, 0, 0, 1]);
  const asker = { address: loopback, local: undefined, viaProxy: true };
  world.http.answer(`/announce?${GOOD}&ip=203.0.113.99`, asker);
  assert.deepEqual(peersOf(world.announce(9)), ["127.0.0.1:6881"]);
});

test("TRK-21: IPv4 through an IPv6 socket is IPv4; families do not mix", () => {
  const world = trackerWorld();
  world.announce(1, "", "::ffff:198.51.100.9");
  world.announce(2, "", "2001:db8::1");
  assert.deepEqual(peersOf(world.announce(3)), ["9.9.9.9:8421", "198.51.100.9:1"]);
  const six = world.announce(4, "", "2001:db8::2");
  assert.match(six, /5:peers0:6:peers636:/, "the everseed and the other");
  assert.equal(numberAt(six, "incomplete"), 4, "counts cover both families");
});

test("without compact, a list of dictionaries with peer ids", () => {
  const world = trackerWorld();
  world.announce(1);
  const text = world.get(`/announce?info_hash=${HASH}&peer_id=${PEER_ID}&port=2`);
  assert.match(text, new RegExp(`d2:ip12:198.51.100.77:peer id20:${PEER_ID}4:porti1ee`));
});
