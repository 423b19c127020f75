import assert from "node:assert/strict";
import { test } from "node:test";
import type { Work } from "../base/work.ts";
import type { ScrapeEntry } from "../announce/http-scrape.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { FullScrape } from "./full-scrape.ts";

const STEPS = 40;

/** Each look at the clock takes a millisecond, and what waits for its turn is kept. */
class SlowClock implements Clock {
  readonly waiting: (() => void)[] = [];
  #nowMs = 0;

  nowMs(): number {
    this.#nowMs += 1;
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  startTimer(_delayMs: number, fire: () => void): Timer {
    this.waiting.push(fire);
    return { cancel: () => undefined };
  }
}

test("TRK-7: a full scrape is made a few milliseconds at a time, once for all who ask meanwhile", async () => {
  const clock = new SlowClock();
  let [made, begun] = [0, 0];
  const scrapeAll = function* (): Work<ScrapeEntry[]> {
    begun += 1;
    for (let step = 0; step < STEPS; step += 1) yield;
    made += 1;
    return [{ infohash: new Uint8Array(20), complete: 1, incomplete: 2, downloaded: 3 }];
  };
  const scrape = new FullScrape({ scrapeAll }, { clock, minIntervalS: 240 });
  const answers = [scrape.answer(), scrape.answer()];
  assert.equal(made, 0, "the first request does not do all of it");
  let turns = 0;
  while (made === 0) {
    const next = clock.waiting.shift();
    assert.ok(next, "it waits for its turn");
    next();
    turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(turns >= STEPS / 10, `${turns} turns`);
  const [first, second] = await Promise.all(answers);
  assert.equal(first, second);
  assert.match(
    Buffer.from(first!).toString("latin1"),
    /8:completei1e10:downloadedi3e10:incompletei2e/,
  );
  assert.equal(begun, 1);
});

test("a full scrape that fails is made anew for whoever asks next", async () => {
  const clock = new SlowClock();
  let fails = true;
  const scrapeAll = function* (): Work<ScrapeEntry[]> {
    yield;
    if (fails) throw new Error("no memory");
    return [];
  };
  const scrape = new FullScrape({ scrapeAll }, { clock, minIntervalS: 240 });
  await assert.rejects(scrape.answer(), /no memory/);
  fails = false;
  assert.match(Buffer.from(await scrape.answer()).toString("latin1"), /^d5:filesde/);
});
