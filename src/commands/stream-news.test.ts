import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../base/peer-address.ts";
import { StreamNews } from "./stream-news.ts";

const remote = tcpAddress({ address: "10.0.0.2", port: 6881 });
const plain = { remote, encryption: undefined };
const rc4 = { remote, encryption: "rc4" as const };

test("the ways of the streams are told when they change, and only then", () => {
  const news = new StreamNews();
  assert.equal(news.next([]), undefined);
  const first = [{ transport: "tcp", encryption: "none", peers: 1 }];
  assert.deepEqual(news.next([plain]), first);
  assert.equal(news.next([plain]), undefined);
  const both = [...first, { transport: "tcp", encryption: "rc4", peers: 2 }];
  assert.deepEqual(news.next([rc4, plain, rc4]), both);
  assert.equal(news.next([plain, rc4, rc4]), undefined);
  assert.deepEqual(news.next([]), []);
});
