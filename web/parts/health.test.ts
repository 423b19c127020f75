import assert from "node:assert/strict";
import { test } from "node:test";
import { dhtWords, judgeHealth, othersWithAll } from "./health.ts";

const swarm = {
  seeds: 1,
  leechers: 0,
  completed: 0,
  uploadBytesPerSecond: 0,
  uploaded: 0,
  fault: null,
  dht: null,
};
const fault = "1 of 2 files are lost.";

const cases: [
  more: Partial<Parameters<typeof judgeHealth>[0]>,
  mood: string,
  title: string,
  others: number,
][] = [
  [{}, "good", "Kept by this hub, and nobody else yet", 0],
  [{ seeds: 4 }, "good", "Kept by this hub", 3],
  [{ fault, seeds: 0 }, "bad", "Not complete anywhere", 0],
  [{ fault, seeds: 1 }, "warn", "Damaged here, whole elsewhere", 1],
  [{ fault, seeds: 2 }, "warn", "Damaged here, whole elsewhere", 2],
];
for (const [more, mood, title, others] of cases) {
  test(`HUB-19: ${JSON.stringify(more)} is called "${title}"`, () => {
    const now = { ...swarm, ...more };
    const health = judgeHealth(now);
    assert.equal(health.mood, mood);
    assert.equal(health.title, title);
    assert.equal(othersWithAll(now), others);
  });
}

test("HUB-19: a damaged torrent says what repairs it, an intact one has no remedy", () => {
  assert.equal(judgeHealth(swarm).remedy, null);
  for (const seeds of [0, 1]) {
    const health = judgeHealth({ ...swarm, fault, seeds });
    assert.match(health.sentence, /^1 of 2 files are lost\. /);
    assert.match(health.remedy ?? "", /Publishing the same files here again repairs it/);
  }
});

for (const [counted, words] of [
  [{ seeds: 12, leechers: 3 }, "about 12 seeds (this hub included) and 3 downloaders."],
  [{ seeds: 1, leechers: 0 }, "about 1 seed (this hub included)."],
  [{ seeds: 0, leechers: 1 }, "about 1 downloader."],
  [{ seeds: 2, leechers: 0, fault }, "about 2 seeds."],
  [{ seeds: 0, leechers: 0 }, "The DHT knows nobody who has it or takes it yet."],
] as const) {
  test(`BEP 33: ${JSON.stringify(counted)} is told in words`, () => {
    const { seeds, leechers } = counted;
    const dht = { seeds, leechers, countedAt: "2026-11-30T10:00:00Z" };
    const said = dhtWords({ ...swarm, fault: "fault" in counted ? fault : null, dht });
    assert.ok(said?.endsWith(words), String(said));
  });
}

test("BEP 33: nothing is said of what nobody knows", () => {
  assert.equal(dhtWords(swarm), undefined);
});
