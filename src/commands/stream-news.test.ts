import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../base/peer-address.ts";
import { StreamNews } from "./stream-news.ts";

const remote = tcpAddress({ address: "10.0.0.2", port: 6881 });
const plain = { remote, encryption: undefined, source: "tracker" as const };
const rc4 = { remote, encryption: "rc4" as const, source: "tracker" as const };

test("the ways of the streams are told when they change, and only then", () => {
  const news = new StreamNews();
  assert.equal(news.next([]), undefined);
  const first = [{ transport: "tcp", encryption: "none", peers: 1 }];
  assert.deepEqual(news.next([plain])?.streams, first);
  assert.equal(news.next([plain]), undefined);
  const both = [...first, { transport: "tcp", encryption: "rc4", peers: 2 }];
  assert.deepEqual(news.next([rc4, plain, rc4])?.streams, both);
  assert.equal(news.next([plain, rc4, rc4]), undefined);
  assert.deepEqual(news.next([]), { streams: [], sources: [] });
});

test("where the peers came from is told when it changes, even with the same streams", () => {
  const news = new StreamNews();
  const found = (source: "tracker" | "dht" | "incoming") => ({ ...plain, source });
  news.next([found("tracker")]);
  const sources = news.next([found("dht")])?.sources;
  assert.deepEqual(sources, [{ source: "dht", peers: 1 }]);
  assert.deepEqual(news.next([found("incoming"), found("dht"), found("incoming")])?.sources, [
    { source: "dht", peers: 1 },
    { source: "incoming", peers: 2 },
  ]);
});
