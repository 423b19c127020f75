import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromLatin1, toLatin1 } from "../base/bytes.ts";
import { RangeReply, type ReplyHead } from "./range-reply.ts";

interface Read {
  readonly status: number | undefined;
  readonly head: ReplyHead | undefined;
  readonly body: string;
  readonly isDone: boolean;
  readonly keeps: boolean;
}

/** @param parts - Lengths of the chunks; the rest comes at once. */
function read(text: string, parts: readonly number[] = [], ends = false): Read {
  let head: ReplyHead | undefined;
  const body: Uint8Array[] = [];
  const reply = new RangeReply({
    handleHead: (given) => {
      assert.equal(head, undefined, "one head");
      head = given;
    },
    handleBody: (bytes) => void body.push(bytes.slice()),
  });
  const bytes = fromLatin1(text);
  // The buffer of a socket: what is not used in the call is gone afterwards.
  const buffer = new Uint8Array(bytes.length);
  let at = 0;
  for (const length of [...parts, bytes.length]) {
    const part = bytes.subarray(at, at + length);
    buffer.set(part);
    reply.push(buffer.subarray(0, part.length));
    buffer.fill(0x78);
    at += part.length;
  }
  if (ends) reply.end();
  const { isDone, keeps } = reply;
  return { status: head?.status, head, body: toLatin1(concatBytes(body)), isDone, keeps };
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const REPLIES: readonly {
  readonly text: string;
  readonly body: string;
  readonly isDone?: boolean;
  readonly keeps?: boolean;
  readonly ends?: boolean;
}[] = [
  { text: "HTTP/1.1 206 Partial\r\nContent-Length: 3\r\n\r\nabc", body: "abc", keeps: true },
  { text: "HTTP/1.1 206\r\nContent-Length: 3\r\n\r\nabc", body: "abc", keeps: true },
  { text: "HTTP/1.0 200 OK\nContent-Length: 3\n\nabc", body: "abc" },
  { text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", body: "abc" },
  { text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP", body: "abc" },
  {
    text: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
    body: "abc",
    isDone: false,
    ends: true,
  },
  { text: "HTTP/1.1 200 OK\r\n\r\nabc", body: "abc", ends: true },
  { text: "HTTP/1.1 200 OK\r\n\r\nabc", body: "abc", isDone: false },
  { text: "HTTP/1.1 204 No\r\n\r\n", body: "", keeps: true },
  { text: "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", body: "", keeps: true },
  { text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", body: "", keeps: true },
  { text: `${CHUNKED}3\r\nabc\r\n0\r\n\r\n`, body: "abc", keeps: true },
  { text: `${CHUNKED}1;x=y\r\na\r\n02 \r\nbc\r\n0\r\nX: y\r\n\r\n`, body: "abc", keeps: true },
  { text: `${CHUNKED}3\r\nabc\r\n0\r\n`, body: "abc", isDone: false, ends: true },
];

for (const { text, body, isDone = true, keeps = false, ends = false } of REPLIES) {
  test(`a reply is read the same however it is cut: ${JSON.stringify(text)}`, () => {
    const whole = read(text, [], ends);
    assert.deepEqual(
      { body: whole.body, isDone: whole.isDone, keeps: whole.keeps },
      { body, isDone, keeps: keeps && !ends },
    );
    const one = Array.from({ length: text.length }, () => 1);
    // What follows a reply may come later than the reply.
    const isExact = !text.endsWith("abcHTTP");
    for (const parts of isExact ? [one, [7], [text.length - 1], [2, 30]] : [[7], [2, 30]]) {
      assert.deepEqual(read(text, parts, ends), whole, String(parts));
    }
  });
}

test("a head says what ranges need", () => {
  const { head } = read(
    "HTTP/1.1 302 Found\r\nLOCATION:  http://x/ \r\ncontent-range: bytes 0-1/2\r\n" +
      "Content-Encoding: gzip\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\nab",
  );
  assert.deepEqual(head, {
    status: 302,
    location: "http://x/",
    contentRange: "bytes 0-1/2",
    contentLength: "2",
    contentEncoding: "gzip",
    retryAfter: "5",
  });
});

for (const [text, why] of [
  ["SSH-2.0-OpenSSH\r\n\r\n", /not HTTP\/1.1/],
  ["HTTP/2 200\r\n\r\n", /not HTTP\/1.1/],
  ["HTTP/1.1 99 x\r\n\r\n", /not HTTP\/1.1/],
  ["HTTP/1.1 200 OK\r\nno header\r\n\r\n", /no header/],
  ["HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", /no header/],
  ["HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", /no number/],
  ["HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", /no number/],
  ["HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n\r\n", /no number/],
  ["HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", /two lengths/],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", /not known/],
  [`${CHUNKED}x\r\n`, /no size/],
  [`${CHUNKED}\r\n`, /no size/],
  [`${CHUNKED}fffffffff\r\n`, /no size/],
  [`${CHUNKED}1\r\nab\r\n`, /no end/],
  [`HTTP/1.1 200 OK\r\nX: ${"y".repeat(40_000)}`, /longer than/],
  [`${CHUNKED}1;${"y".repeat(5000)}`, /longer than/],
  [`${CHUNKED}0\r\n${"X: y\r\n".repeat(70)}`, /longer than/],
] as const) {
  test(`WSD-1: a reply that could be taken for another is refused: ${JSON.stringify(text.slice(0, 60))}`, () => {
    assert.throws(() => read(text), { message: why });
  });
}
