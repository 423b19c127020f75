import assert from "node:assert/strict";
import { test } from "node:test";
import type { WebSeedStatus } from "../../src/engine/session-contract.ts";
import type { WebRanges } from "../../src/ports/web-ranges.ts";
import { answerFromFiles, headOf, type SimAnswer, SimWeb } from "../../src/sim/sim-web.ts";
import { completedAtMs, type SimPeer, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { assertWhole, bannedBy, MIB, withSeed } from "./judging.ts";

const GOOD = "http://good.example/content";
const BAD = "http://bad.example/content";
const FAST_LINE = { downBytesPerSecond: 100 * MIB, upBytesPerSecond: MIB };

type Answer = (request: Parameters<ReturnType<typeof answerFromFiles>>[0]) => SimAnswer | undefined;

/** Servers by their names, each with a line of its own. */
function webOf(servers: ReadonlyMap<string, SimWeb>): WebRanges {
  return {
    open: (seed) => servers.get(new URL(seed).hostname)!.open(),
  };
}

function filesOf(swarm: SimSwarm, ...urls: readonly string[]): Answer {
  return answerFromFiles(new Map(urls.map((url) => [url, swarm.made.bytes])));
}

interface Site {
  readonly answer: Answer;
  readonly bytesPerSecond?: number;
  readonly latencyMs?: number;
}

/** A downloader that knows these web seeds. */
async function joinReader(
  swarm: SimSwarm,
  sites: Readonly<Record<string, Site>>,
  link: object = FAST_LINE,
): Promise<{ readonly reader: SimPeer; readonly webs: ReadonlyMap<string, SimWeb> }> {
  const webs = new Map<string, SimWeb>();
  const webSeeds = Object.keys(sites).map((url) => ({ url, kind: "files" as const }));
  const reader = await swarm.joinLeecher(
    {
      link,
      webRanges: (client) => {
        for (const [url, site] of Object.entries(sites)) {
          const { bytesPerSecond = 20 * MIB, latencyMs = 20, answer } = site;
          const { simulation } = swarm;
          const web = new SimWeb({ simulation, client, bytesPerSecond, latencyMs, answer });
          webs.set(new URL(url).hostname, web);
        }
        return webOf(webs);
      },
    },
    { webSeeds },
  );
  return { reader, webs };
}

function statusOf({ run }: SimPeer, url: string): WebSeedStatus {
  const status = run.torrent.webSeeds().find((each) => each.url === url);
  assert.ok(status);
  return status;
}

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(
    `BEP 19: a web seed alone serves a ${kind} torrent in long requests over two connections`,
    withSeed(11, async (seed, t) => {
      const swarm = new SimSwarm({ seed, size: 32 * MIB + 777, kind });
      const { reader, webs } = await joinReader(swarm, {
        [GOOD]: { answer: filesOf(swarm, GOOD) },
      });
      const web = webs.get("good.example")!;
      const tookMs = swarm.runUntilComplete([reader], 60_000);
      t.diagnostic(`${tookMs} ms, ${web.requests.length} requests, ${web.sentBytes} bytes`);
      assertWhole(swarm, reader);
      assert.ok(tookMs !== undefined && tookMs < 1.25 * ((32 * 1000) / 20) + 1000, `${tookMs} ms`);
      assert.ok(web.requests.length < 80, "512 pieces do not need 512 requests");
      assert.ok(web.linesMax <= 2);
      assert.ok(web.sentBytes < 1.05 * swarm.made.bytes.length, "hardly a byte is sent twice");
      assert.equal(reader.run.torrent.stats().rarestCopies, 1, "two connections are one copy");
    }),
  );
}

test(
  "a swarm with one tired peer is as fast as its web seed, and peers still trade",
  withSeed(12, async (seed, t) => {
    const size = 32 * MIB;
    const swarm = new SimSwarm({ seed, size });
    const tired = await swarm.joinSeed({ link: { upBytesPerSecond: 64 * 1024 } });
    const web = { answer: filesOf(swarm, GOOD), bytesPerSecond: 4 * MIB };
    const readers: SimPeer[] = [];
    const webs: SimWeb[] = [];
    for (let i = 0; i < 4; i += 1) {
      const link = { upBytesPerSecond: 4 * MIB, downBytesPerSecond: 16 * MIB };
      const joined = await joinReader(swarm, { [GOOD]: web }, link);
      readers.push(joined.reader);
      webs.push(joined.webs.get("good.example")!);
    }
    swarm.introduce([tired, ...readers]);
    const tookMs = swarm.runUntilComplete(readers, 120_000);
    const fromWeb = webs.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
    t.diagnostic(
      `${Math.round(tookMs ?? NaN)} ms, ${(fromWeb / size).toFixed(2)} copies from the web`,
    );
    for (const reader of readers) assertWhole(swarm, reader);
    // Alone each would need 8 s.
    assert.ok(tookMs !== undefined && tookMs < 7_000, `${tookMs} ms`);
    assert.ok(fromWeb < 3 * size, "they have more than a quarter from each other");
  }),
);

test(
  "a fast peer beside a slow web seed is used fully, and the end is not fetched twice",
  withSeed(13, async (seed, t) => {
    const size = 16 * MIB;
    const swarm = new SimSwarm({ seed, size });
    const fast = await swarm.joinSeed({ link: { upBytesPerSecond: 8 * MIB } });
    const slow = { answer: filesOf(swarm, GOOD), bytesPerSecond: 256 * 1024 };
    const { reader, webs } = await joinReader(swarm, { [GOOD]: slow });
    swarm.introduce([fast, reader]);
    const tookMs = swarm.runUntilComplete([reader], 60_000);
    const web = webs.get("good.example")!;
    const received = web.sentBytes + fast.run.torrent.stats().uploaded;
    t.diagnostic(`${Math.round(tookMs ?? NaN)} ms, ${(received / size).toFixed(3)} copies`);
    assertWhole(swarm, reader);
    assert.ok(tookMs !== undefined && tookMs < 3_500, `${tookMs} ms`);
    assert.ok(web.sentBytes > 128 * 1024, "the web seed helps");
    assert.ok(received < 1.1 * size);
  }),
);

const NOTHING = new Uint8Array();

/** What a server may do wrong. The reader takes everything from the good one, and knows why. */
const BAD_SERVERS: readonly {
  readonly name: string;
  readonly id?: string;
  readonly answer: (good: Answer, swarm: SimSwarm) => Answer;
  readonly state: WebSeedStatus["state"];
  readonly reason: RegExp;
}[] = [
  {
    id: "WSD-2",
    name: "has other bytes",
    answer: (good) => (request) => {
      const answer = good(request)!;
      return { ...answer, body: answer.body.map((byte) => byte ^ 1) };
    },
    state: "off",
    reason: /not the torrent's|not the right one/,
  },
  {
    id: "WSD-1",
    name: "sends another part than it was asked for",
    answer: (good) => (request) => {
      const answer = good(request)!;
      return { ...answer, head: { ...answer.head, contentRange: "bytes 1-16384/6291456" } };
    },
    state: "resting",
    reason: /sends another part/,
  },
  {
    id: "WSD-1",
    name: "says a part without saying which",
    answer: (good) => (request) => ({ ...good(request)!, head: headOf(206) }),
    state: "resting",
    reason: /does not say which part/,
  },
  {
    id: "WSD-1",
    name: "sends fewer bytes than it says",
    answer: (good) => (request) => {
      const answer = good(request)!;
      return { ...answer, body: answer.body.subarray(0, answer.body.length - 1) };
    },
    state: "resting",
    reason: /less than it says/,
  },
  {
    id: "WSD-1",
    name: "sends more bytes than it was asked for",
    answer: (good) => (request) => {
      const answer = good(request)!;
      return { ...answer, body: Uint8Array.from([...answer.body, 1, 2, 3]) };
    },
    state: "resting",
    reason: /more than it was asked for/,
  },
  {
    id: "WSD-1",
    name: "sends one byte at a time",
    answer: (good) => (request) =>
      good({ ...request, range: { first: request.range!.first, last: request.range!.first } }),
    state: "resting",
    reason: /less than it was asked for/,
  },
  {
    name: "has another file under that name",
    answer: () => () => ({
      head: { ...headOf(206), contentRange: "bytes 0-9/10" },
      body: NOTHING,
    }),
    state: "off",
    reason: /has 10 bytes under that name/,
  },
  {
    name: "has no such file",
    answer: () => () => ({ head: headOf(404), body: NOTHING }),
    state: "off",
    reason: /says 404/,
  },
  {
    name: "sends the whole long file for each part",
    answer: (_good, swarm) => () => ({ head: headOf(200), body: swarm.made.bytes }),
    state: "off",
    reason: /whole files only/,
  },
  {
    id: "WSD-1",
    name: "compresses what it was asked for as it is",
    answer: (good) => (request) => {
      const answer = good(request)!;
      return { ...answer, head: { ...answer.head, contentEncoding: "gzip" } };
    },
    state: "off",
    reason: /compressed/,
  },
  {
    name: "is busy and says for how long",
    answer: () => () => ({ head: { ...headOf(503), retryAfter: "120" }, body: NOTHING }),
    state: "resting",
    reason: /says 503, come again later/,
  },
  {
    id: "WSD-1",
    name: "answers and then sends nothing",
    answer: (good) => (request) => ({ ...good(request)!, hangsAfter: 0 }),
    state: "resting",
    reason: /sent nothing for 20 s/,
  },
  {
    id: "WSD-1",
    name: "hangs in the middle of a block",
    answer: (good) => (request) => ({ ...good(request)!, hangsAfter: 5_000 }),
    state: "resting",
    reason: /sent nothing for 20 s/,
  },
  {
    name: "ends the connection in the middle of a block",
    answer: (good) => (request) => ({ ...good(request)!, cutAfter: 20_000 }),
    state: "resting",
    reason: /the connection ended/,
  },
  {
    name: "is not there",
    answer: () => () => undefined,
    state: "resting",
    reason: /nobody answers/,
  },
];

for (const { name, id, answer, state, reason } of BAD_SERVERS) {
  test(
    `${id ? `${id}: ` : ""}a web seed that ${name}: others take over`,
    withSeed(14, async (seed) => {
      const swarm = new SimSwarm({ seed, size: 6 * MIB });
      const good = filesOf(swarm, GOOD, BAD);
      const { reader, webs } = await joinReader(swarm, {
        [BAD]: { answer: answer(good, swarm) },
        [GOOD]: { answer: good, bytesPerSecond: MIB },
      });
      let worst: WebSeedStatus | undefined;
      const isDone = (): boolean => {
        const status = reader.run.torrent.webSeeds().find(({ url }) => url === BAD);
        if (status?.reason !== undefined) worst = status;
        return completedAtMs(reader) !== undefined;
      };
      assert.ok(swarm.simulation.runUntil(isDone, 60_000), "it completes all the same");
      assertWhole(swarm, reader);
      swarm.simulation.runUntil(() => isDone() && worst !== undefined, 25_000);
      assert.match(worst?.reason ?? "", reason);
      assert.equal(worst!.state, state);
      assert.ok(webs.get("bad.example")!.requests.length <= 8, "it is left alone");
    }),
  );
}

test(
  "WSD-2: a server with other bytes is banned by its first piece, the one that helped is not",
  withSeed(15, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 8 * MIB });
    const good = filesOf(swarm, GOOD, BAD);
    const lies: Answer = (request) => {
      const answer = good(request)!;
      return { ...answer, body: answer.body.map((byte) => byte ^ 0x80) };
    };
    const peer = await swarm.joinSeed({ link: { upBytesPerSecond: MIB } });
    const { reader } = await joinReader(swarm, {
      [BAD]: { answer: lies },
      [GOOD]: { answer: good, bytesPerSecond: MIB },
    });
    swarm.introduce([peer, reader]);
    assert.ok(swarm.runUntilComplete([reader], 60_000) !== undefined);
    assertWhole(swarm, reader);
    assert.deepEqual(bannedBy(reader), new Set([BAD]));
    assert.ok(statusOf(reader, BAD).downloaded < 4 * MIB);
    assert.equal(statusOf(reader, GOOD).reason, undefined);
  }),
);

test(
  "WSD-2: a corrupt piece of one server alone is proof enough, even when nobody has the right one",
  withSeed(19, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const good = filesOf(swarm, BAD);
    const lies: Answer = (request) => {
      const answer = good(request)!;
      return { ...answer, body: answer.body.map((byte) => byte ^ 0x80) };
    };
    const { reader } = await joinReader(swarm, { [BAD]: { answer: lies } });
    swarm.simulation.runFor(5_000);
    assert.equal(statusOf(reader, BAD).state, "off");
    assert.match(statusOf(reader, BAD).reason!, /not the torrent's/);
    assert.deepEqual(bannedBy(reader), new Set([BAD]));
  }),
);

test(
  "a server that was away is asked again",
  withSeed(16, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const good = filesOf(swarm, GOOD);
    const answer: Answer = (request) =>
      swarm.simulation.nowMs() < 12_000 ? undefined : good(request);
    const { reader, webs } = await joinReader(swarm, { [GOOD]: { answer } });
    assert.ok(swarm.runUntilComplete([reader], 60_000) !== undefined);
    const { requests } = webs.get("good.example")!;
    assert.ok(requests.length < 20, `${requests.length} requests`);
  }),
);

test(
  "a complete download leaves its web seed within seconds",
  withSeed(17, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const { reader } = await joinReader(swarm, { [GOOD]: { answer: filesOf(swarm, GOOD) } });
    assert.ok(swarm.runUntilComplete([reader], 60_000) !== undefined);
    swarm.simulation.runFor(15_000);
    assert.equal(reader.run.torrent.stats().webSeeds, 0);
    assert.equal(statusOf(reader, GOOD).state, "idle");
  }),
);

test(
  "the limit of the session holds for web seeds",
  withSeed(18, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const { reader } = await joinReader(swarm, { [GOOD]: { answer: filesOf(swarm, GOOD) } });
    reader.node.session.setLimits({ downBytesPerSecond: MIB / 2 });
    const tookMs = swarm.runUntilComplete([reader], 60_000);
    assert.ok(tookMs !== undefined && tookMs > 7_000 && tookMs < 10_000, `${tookMs} ms`);
  }),
);
