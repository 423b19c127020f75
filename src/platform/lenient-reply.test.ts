import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes, fromLatin1, toLatin1 } from "../base/bytes.ts";
import { LenientReply } from "./lenient-reply.ts";

const BODY = "d8:intervali900e5:peers6:\x7f\x00\x00\x01\x1a\xe1e";
const SIZE = BODY.length;
const HEX = SIZE.toString(16);

/** Replies that other BitTorrent programs read; each means `BODY`. */
const READ: Readonly<Record<string, string>> = {
  "a correct reply": `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`,
  "lines that end in LF alone": `HTTP/1.1 200 OK\nContent-Length: ${SIZE}\n\n${BODY}`,
  "line ends of both kinds": `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\n\r\n${BODY}`,
  "length and chunks": `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${HEX}\r\n${BODY}\r\n0\r\n\r\n`,
  "the identity encoding": `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\nTransfer-Encoding: identity\r\n\r\n${BODY}`,
  "a length that is too long": `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE + 100}\r\n\r\n${BODY}`,
  "bytes after the length": `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}\r\n`,
  "odd names of headers": `HTTP/1.1 200 OK\r\nX Odd (n@me): a\r\n: b\r\nX-\xe9: c\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`,
  "a line without a colon": `HTTP/1.1 200 OK\r\nPHP Warning\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`,
  "a space before the colon": `HTTP/1.1 200 OK\r\nContent-Length : ${SIZE}\r\n\r\n${BODY}`,
  "control characters": `HTTP/1.1 200 OK\r\nX: a\x01\x00b\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`,
  "a folded line": `HTTP/1.1 200 OK\r\nX: a\r\n Content-Length: 3\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`,
  "the same length twice": `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\nContent-Length: ${SIZE}\r\n\r\n${BODY}`,
  "two lengths": `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 7\r\n\r\n${BODY}`,
  "a negative length": `HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n${BODY}`,
  "a length in words": `HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n${BODY}`,
  "no length": `HTTP/1.0 200 OK\r\n\r\n${BODY}`,
  "no reason": `HTTP/1.1 200\r\n\r\n${BODY}`,
  "an unknown version": `HTTP/1.2 200 OK\r\n\r\n${BODY}`,
  "another protocol's name": `ICY 200 OK\r\n\r\n${BODY}`,
  "empty lines before it": `\r\n\nHTTP/1.1 200 OK\r\n\r\n${BODY}`,
  "replies before the reply": `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n${BODY}`,
  "several chunks with extensions": `HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;x="y"\r\n${BODY.slice(0, 3)}\r\n${(SIZE - 3).toString(16).toUpperCase()} \r\n${BODY.slice(3)}\r\n0\r\nX: trailer\r\n\r\n`,
  "chunks with LF alone": `HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n${HEX}\n${BODY}\n0\n\n`,
  "chunks without line ends": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${HEX}\r\n${BODY}0\r\n\r\n`,
  "chunks that are cut off": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${HEX}\r\n${BODY}`,
  "garbage after a chunk": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${HEX}\r\n${BODY}\r\nwhat is this\r\n`,
  "wrongly called chunked": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${BODY}`,
};

function read(text: string, cuts: readonly number[] = []): string {
  const reply = new LenientReply(1000);
  const bytes = fromLatin1(text);
  const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b)];
  for (const [index, start] of places.entries()) {
    if (reply.push(bytes.slice(start, places[index + 1]))) break;
  }
  const { status, body } = reply.finish();
  assert.equal(status, 200);
  return toLatin1(concatBytes(body));
}

for (const [name, text] of Object.entries(READ)) {
  test(`rule 13, a tracker's reply: ${name}`, () => assert.equal(read(text), BODY));
}

test("rule 13: however a reply is cut into packets, it reads the same", () => {
  const texts = Object.values(READ).filter((text) => !text.includes("bytes after"));
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(fc.nat(500), { maxLength: 8 }),
      (text, cuts) => {
        assert.equal(read(text, cuts), BODY);
      },
    ),
    { seed: 7, numRuns: 2000 },
  );
});

test("rule 13: a short body that is wrongly called chunked", () => {
  assert.equal(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nde"), "de");
});

test("bytes that are not HTTP are refused, and so is an incomplete head", () => {
  for (const text of ["SSH-2.0-x\r\n\r\n", "d5:peers0:e\n\n", "HTTP/1.1 two OK\r\n\r\n"]) {
    assert.throws(() => read(text), { code: "no-reply" }, text);
  }
  assert.throws(() => read("HTTP/1.1 200 OK\r\nX: y"), { code: "no-reply" });
  assert.throws(() => read(""), { code: "no-reply" });
});

test("rule 2: head and body have limits, chunked or not", () => {
  const long = "x".repeat(40_000);
  assert.throws(() => read(`HTTP/1.1 200 OK\r\nX: ${long}`), { code: "reply-too-long" });
  assert.throws(() => read(`HTTP/1.1 200 OK\r\n\r\n${long}`), { code: "reply-too-long" });
  const chunk = `3E8\r\n${long.slice(0, 1000)}\r\n`;
  assert.throws(
    () => read(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`),
    {
      code: "reply-too-long",
    },
  );
});

test("a redirect's address and gzip are recognised whatever the head says", () => {
  const moved = new LenientReply(1000);
  moved.push(fromLatin1("HTTP/1.1 302 x\nLOCATION:  http://a.example/x \n\n"));
  assert.equal(moved.finish().location, "http://a.example/x");
  const packed = new LenientReply(1000);
  packed.push(fromLatin1("HTTP/1.1 200 OK\n\n\x1f\x8brest"));
  assert.equal(packed.finish().packed, true);
});
