import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromLatin1 } from "../base/bytes.ts";
import { type Endpoint, parseEndpoint } from "../base/endpoint.ts";
import { crc32c } from "../base/crc32c.ts";
import { peerPriority } from "./peer-priority.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as {
  crc32c: { input_ascii: string; value: string };
  bep40: readonly { a: string; b: string; prio: string }[];
};

function endpoint(text: string): Endpoint {
  return parseEndpoint(text) ?? { address: text, port: 6881 };
}

test("crc32c: the vector", () => {
  const sum = crc32c(fromLatin1(vectors.crc32c.input_ascii));
  assert.equal(sum.toString(16), vectors.crc32c.value);
});

test("BEP 40: the vectors, the same from both sides", () => {
  for (const { a, b, prio } of vectors.bep40) {
    assert.equal(peerPriority(endpoint(a), endpoint(b)).toString(16).padStart(8, "0"), prio);
    assert.equal(peerPriority(endpoint(b), endpoint(a)).toString(16).padStart(8, "0"), prio);
  }
});

test("BEP 40: masked bits do not change the priority", () => {
  const own = endpoint("123.213.32.10");
  const base = peerPriority(own, endpoint("98.76.54.32"));
  assert.equal(
    peerPriority(own, endpoint("98.76.54.34")),
    base,
    "bit 1 of the last byte is masked",
  );
  assert.notEqual(peerPriority(own, endpoint("98.76.54.33")), base);
  const own6 = endpoint("2001:db8:1:200::1");
  const far = peerPriority(own6, endpoint("2001:db8:2:100::1"));
  assert.equal(peerPriority(own6, endpoint("2001:db8:2:300::1")), far, "past /48 every second bit");
  const near = peerPriority(own6, endpoint("2001:db8:1:100::1"));
  assert.notEqual(peerPriority(own6, endpoint("2001:db8:1:300::1")), near, "same /48: up to /56");
});

test("names are not addresses", () => {
  assert.throws(() => peerPriority(endpoint("127.0.0.1"), endpoint("example.org")), TypeError);
});
