import assert from "node:assert/strict";
import { test } from "node:test";
import { namesItself, webSeedReach } from "./web-seed-reach.ts";

const siteUrl = "https://hub.test";

for (const [isWanted, isReachable, isLimited, named, words] of [
  [true, true, false, true, /name https:\/\/hub\.test as a source/],
  [false, true, false, false, /do not name the web site/],
  [true, false, false, false, /Only this machine reaches/],
  [true, true, true, false, /Sending to peers is limited/],
] as const) {
  const how = `wanted ${isWanted}, reachable ${isReachable}, limited ${isLimited}`;
  test(`a hub (${how}) names itself as web seed: ${named}`, () => {
    const naming = { isWanted, isReachable, isLimited, siteUrl };
    assert.equal(namesItself(naming), named);
    const part = webSeedReach(naming);
    assert.equal(part.state, named ? "works" : "off");
    assert.match(part.words, words);
  });
}
