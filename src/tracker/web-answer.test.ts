import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpTracker } from "./http-tracker.ts";
import { answerWeb } from "./web-answer.ts";

type Answer = ReturnType<HttpTracker["answer"]>;

/** A web site whose tracker gives one answer to everything. */
function site(answer: Partial<Answer> = {}) {
  const asked: Parameters<HttpTracker["answer"]>[] = [];
  const counted: unknown[] = [];
  const http: Pick<HttpTracker, "answer"> = {
    answer: (...question) => {
      asked.push(question);
      return { status: 200, body: new Uint8Array([0x64, 0x65]), ...answer };
    },
  };
  const faults = { count: (...fault: unknown[]) => void counted.push(fault) };
  const call = (url: string, headers: Record<string, string> = {}, remoteAddress = "192.0.2.7") =>
    answerWeb(http, new Request(url, { headers }), { remoteAddress, localAddress: "::1" }, faults);
  return { asked, counted, call };
}

test("requests for pages are none of the tracker's", () => {
  const { asked, call } = site();
  for (const path of ["/", "/announcement", "/t/announce", "/?announce"]) {
    assert.equal(call(`http://hub.test${path}`), undefined, path);
  }
  assert.deepEqual(asked, []);
});

test("an announce reaches the tracker byte by byte, and its answer is plain, uncached bencode", async () => {
  const { asked, call } = site();
  const response = await call("http://hub.test:8420/announce?info_hash=%7e%FF&x=%zz+/?a");
  assert.equal(await response?.text(), "de");
  assert.equal(response?.headers.get("content-type"), "text/plain");
  assert.equal(response?.headers.get("cache-control"), "no-store");
  const [[target, from]] = asked as [Parameters<HttpTracker["answer"]>];
  assert.equal(target, "/announce?info_hash=%7e%FF&x=%zz+/?a");
  assert.deepEqual(from.address, new Uint8Array([192, 0, 2, 7]));
  assert.equal(from.local?.length, 16);
  assert.equal(from.viaProxy, false);
});

for (const name of ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"]) {
  test(`TRK-1: a request with ${name} came through a proxy`, () => {
    const { asked, call } = site();
    call("http://hub.test/announce", { [name]: "192.0.2.9" });
    assert.equal(asked[0]?.[1].viaProxy, true);
  });
}

test("an asker without an address is told what is wrong, and takes part in nothing", async () => {
  const { asked, call } = site();
  const response = await call("http://hub.test/announce", {}, "unknown");
  assert.equal(response?.status, 200);
  assert.match(
    (await response?.text()) ?? "",
    /^d14:failure reason\d+:.*does not know your address/,
  );
  assert.deepEqual(asked, []);
});

test("a refused announce keeps its status, and is counted with its cause", async () => {
  const { counted, call } = site({ status: 403, refusal: "unknown device" });
  assert.equal((await call("http://hub.test/announce"))?.status, 403);
  assert.deepEqual(counted, [["bad-announce", { address: "192.0.2.7", why: "unknown device" }]]);
});
