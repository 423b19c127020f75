import assert from "node:assert/strict";
import { test } from "node:test";
import { DhtNews } from "./dht-news.ts";

test("the DHT is told of when it first answers, after twenty seconds of silence, and when it is back", () => {
  const news = new DhtNews();
  const told: string[] = [];
  const answers = [
    ...Array<undefined>(5).fill(undefined),
    ...Array<boolean>(25).fill(false),
    ...Array<boolean>(5).fill(true),
    ...Array<boolean>(19).fill(false),
    true,
    ...Array<boolean>(21).fill(false),
  ];
  for (const [second, each] of answers.entries()) {
    const event = news.next(each, true);
    if (event) told.push(`${second} ${event.answers}`);
  }
  assert.deepEqual(told, ["24 false", "30 true", "74 false"]);
});
