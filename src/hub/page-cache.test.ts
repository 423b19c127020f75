import assert from "node:assert/strict";
import { test } from "node:test";
import { isStrangersPage, PageCache, strangersRequest } from "./page-cache.ts";

function world() {
  let now = 0;
  const clock = {
    nowMs: () => now,
    wallMs: () => now,
    startTimer: () => ({ cancel: () => undefined }),
  };
  return { cache: new PageCache(clock), pass: (ms: number) => void (now += ms) };
}

const STATUSES: [status: number, isShared: boolean][] = [
  [200, true],
  [301, true],
  [404, true],
  [410, true],
  [303, false],
  [400, false],
  [403, false],
  [415, false],
  [421, false],
  [429, false],
  [500, false],
  [503, false],
];
for (const [status, isShared] of STATUSES) {
  test(`HUB-42: an answer ${status} is ${isShared ? "kept for a second" : "for the asker alone"}`, async () => {
    const { cache, pass } = world();
    let made = 0;
    const render = async () => new Response(`${(made += 1)}`, { status });
    const ask = async () => (await cache.serve("/", render)).text();
    assert.equal(await ask(), "1");
    assert.equal(await ask(), isShared ? "1" : "2");
    assert.equal(cache.size, isShared ? 1 : 0);
    pass(1_001);
    assert.equal(await ask(), isShared ? "2" : "3");
  });
}

test("HUB-42: an answer that sets a cookie is for the asker alone", async () => {
  const { cache } = world();
  let made = 0;
  const render = async () =>
    new Response("", { headers: { "set-cookie": `everseed.form=${(made += 1)}` } });
  const cookies = [await cache.serve("/", render), await cache.serve("/", render)];
  assert.deepEqual(
    cookies.map(({ headers }) => headers.get("set-cookie")),
    ["everseed.form=1", "everseed.form=2"],
  );
});

test("HUB-40: several requests share one rendering; a failure belongs to the first request alone", async () => {
  const { cache } = world();
  let made = 0;
  const render = async () => {
    made += 1;
    if (made === 1) throw new Error("no place for the first one");
    return new Response("whole");
  };
  const [first, ...others] = await Promise.allSettled(
    Array.from({ length: 3 }, () => cache.serve("/", render)),
  );
  assert.equal(first?.status, "rejected");
  for (const other of others) {
    assert.ok(other.status === "fulfilled");
    assert.equal(await other.value.text(), "whole");
  }
  assert.equal(cache.size, 0, "no promise that rejected is kept");
  made = 10;
  const all = await Promise.all(Array.from({ length: 9 }, () => cache.serve("/", render)));
  assert.equal(made, 11);
  assert.deepEqual(new Set(await Promise.all(all.map((each) => each.text()))), new Set(["whole"]));
});

test("only the newest pages are kept, up to the limit", async () => {
  const { cache } = world();
  for (let page = 0; page < 600; page += 1) {
    await cache.serve(`/?q=${page}`, async () => new Response(`${page}`));
  }
  assert.equal(cache.size, 256);
  const render = async () => new Response("anew");
  assert.equal(await (await cache.serve("/?q=599", render)).text(), "599");
  assert.equal(await (await cache.serve("/?q=1", render)).text(), "anew");
});

test("HUB-42: a page for all strangers is made from the address alone", () => {
  const headers = {
    host: "hub.example",
    accept: "x/y",
    "x-forwarded-for": "9.9.9.9",
    "if-none-match": "*",
  };
  const request = new Request("http://hub.example/search?q=x", { headers });
  assert.ok(isStrangersPage(request, "/search"));
  const bare = strangersRequest(request);
  assert.equal(bare.url, request.url);
  assert.deepEqual([...bare.headers], [["host", "hub.example"]]);
  for (const name of ["cookie", "authorization", "content-encoding"]) {
    const personal = new Request(request, { headers: { ...headers, [name]: "x" } });
    assert.ok(!isStrangersPage(personal, "/search"), name);
  }
});
