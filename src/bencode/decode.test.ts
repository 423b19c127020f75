import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { equalBytes, fromLatin1, toLatin1 } from "../base/bytes.ts";
import { BencodeError, type BencodeErrorCode } from "./bencode-error.ts";
import { isBytes, isDict, isList, type BencodeValue } from "./bencode-value.ts";
import { ITEMS_MAX } from "./bencode-reader.ts";
import { decode, decodePrefix } from "./decode.ts";
import { encode } from "./encode.ts";

interface Vectors {
  readonly bencode: {
    readonly valid: readonly (readonly [encoded: string, kind: string])[];
    readonly invalid: readonly string[];
  };
}

const vectors = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as Vectors;

/** Samples that use every part of the grammar, to be cut and mutated. */
const samples = [
  ...vectors.bencode.valid.map(([encoded]) => encoded),
  "12:hello world!",
  "l5:hello5:worlde",
  "d5:hello5:worlde",
  "l5:apple6:orange4:pear5:grapee",
  "d8:completei1e10:incompletei0e8:intervali720e12:min intervali240e5:peersld2:ip13:250.192.86.977:peer_id20:aaaaaaaaaaaaaaaaaaaa4:porti18252eee10:tracker id11:EVERTRACKER15:warning message0:e",
  "d8:announce10:http://a/x4:infod6:lengthi40000e4:name5:a.bin12:piece lengthi32768e6:pieces40:0123456789012345678901234567890123456789ee",
  "d8:msg_typei1e5:piecei0e10:total_sizei3425ee",
  "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe",
  "d1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei31235e1:pi6881e1:v12:Everseed 1.0e",
  "i9007199254740993e",
  "i-9223372036854775808e",
  "i18446744073709551615e",
  "llllllllllleeeeeeeeeee",
  "d0:0:1:\u00ff1:\u00fee",
];

function refusal(input: string | Uint8Array, options = {}): BencodeErrorCode {
  try {
    decode(typeof input === "string" ? fromLatin1(input) : input, options);
  } catch (error) {
    assert.ok(error instanceof BencodeError, `threw ${String(error)}`);
    return error.code;
  }
  return assert.fail(`accepted ${String(input).slice(0, 60)}`);
}

test("BEP 3: what a strict decoder must refuse", () => {
  for (const input of vectors.bencode.invalid) refusal(input);
});

/** Describes a value as the vectors do: a string or a number with its value, a list or a dictionary without. */
function describe(value: BencodeValue): string {
  if (isBytes(value)) return `str:${toLatin1(value)}`;
  if (isList(value)) return "list";
  return isDict(value) ? "dict" : `int:${value}`;
}

test("BEP 3: what a strict decoder accepts, and what it returns", () => {
  for (const [input, kind] of vectors.bencode.valid) {
    assert.equal(describe(decode(fromLatin1(input))), kind, input);
  }
});

const REFUSED: readonly (readonly [string, BencodeErrorCode])[] = [
  ["", "truncated"],
  ["i", "truncated"],
  ["i1", "truncated"],
  ["l", "truncated"],
  ["d", "truncated"],
  ["li1e", "truncated"],
  ["5", "truncated"],
  ["5:abc", "truncated"],
  ["d1:a", "truncated"],
  ["03:abc", "bad-length"],
  ["00:", "bad-length"],
  ["3abc", "bad-length"],
  ["1e3:abc", "bad-length"],
  ["-1:a", "unexpected-byte"],
  [":abc", "unexpected-byte"],
  ["e", "unexpected-byte"],
  ["d1:be", "unexpected-byte"],
  ["x", "unexpected-byte"],
  [" i1e", "unexpected-byte"],
  ["di1ei2ee", "bad-key"],
  ["dle1:ae", "bad-key"],
  ["d1:b0:1:a0:e", "unsorted-keys"],
  ["d1:a0:1:a0:e", "duplicate-key"],
  ["le ", "trailing-bytes"],
];

test("every refusal has its code", () => {
  for (const [input, code] of REFUSED) assert.equal(refusal(input), code, input);
});

test("errors carry the offset of the first byte that is wrong", () => {
  for (const [input, offset] of [
    ["li1ei02ee", 6],
    ["d1:a0:1:a0:e", 6],
    ["i1ei2e", 3],
    ["l1:a5:be", 8],
  ] as const) {
    assert.throws(() => decode(fromLatin1(input)), { name: "BencodeError", offset });
  }
});

test("BEN-1: a nesting bomb is refused, in lists and in dictionaries", () => {
  assert.equal(refusal("l".repeat(5_000_000)), "too-deep");
  assert.equal(refusal("d1:a".repeat(100_000)), "too-deep");
  const deepest = "l".repeat(100) + "e".repeat(100);
  assert.ok(isList(decode(fromLatin1(deepest))));
  assert.equal(refusal(`l${deepest}e`), "too-deep");
  assert.equal(refusal("ld1:aleee", { depthMax: 2 }), "too-deep");
  assert.throws(() => decode(fromLatin1(`l${deepest}e`)), /at most 100 levels/);
});

test("BEN-2: lengths past the end and past 2^31, 2^32, 2^53, 2^63", () => {
  for (const length of ["6", "2147483648", "4294967297", "9999999999"]) {
    assert.equal(refusal(`${length}:abcde`), "truncated", length);
    assert.equal(refusal(`d${length}:abcde`), "truncated", length);
  }
  for (const length of ["9007199254740993", "18446744073709551617", "9".repeat(20)]) {
    assert.equal(refusal(`${length}:abcde`), "bad-length", length);
  }
});

test("BEN-3: nothing is allocated from a declared length", () => {
  const before = process.memoryUsage();
  for (let i = 0; i < 1000; i += 1) assert.equal(refusal("1000000000:a"), "truncated");
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers < 1_000_000);
});

test("BEN-4: malformed integers", () => {
  for (const text of [
    "i-0e",
    "i03e",
    "i-03e",
    "i00e",
    "i e",
    "ie",
    "i-e",
    "i--1e",
    "i+1e",
    "i1.0e",
    "i1.5e",
    "i0x10e",
    "i1E5e",
    "i 1e",
    "i1 e",
    "i1_0e",
    "iNaNe",
  ]) {
    assert.equal(refusal(text), "bad-integer", text);
  }
});

test("BEN-5: integers beyond 2^53 keep every digit", () => {
  const cases: readonly (readonly [string, number | bigint])[] = [
    ["0", 0],
    ["-1", -1],
    ["999999999999999", 999_999_999_999_999],
    ["9007199254740991", 9_007_199_254_740_991],
    ["-9007199254740991", -9_007_199_254_740_991],
    ["9007199254740992", 9_007_199_254_740_992n],
    ["9007199254740993", 9_007_199_254_740_993n],
    ["-9007199254740993", -9_007_199_254_740_993n],
    ["9223372036854775808", 2n ** 63n],
    ["-9223372036854775808", -(2n ** 63n)],
    ["18446744073709551615", 2n ** 64n - 1n],
  ];
  for (const [digits, expected] of cases) {
    const encoded = `i${digits}e`;
    assert.equal(decode(fromLatin1(encoded)), expected);
    assert.equal(toLatin1(encode(decode(fromLatin1(encoded)))), encoded);
  }
});

test("BEN-6: more than 20 digits are refused without being read", () => {
  assert.equal(refusal(`i${"9".repeat(21)}e`), "bad-integer");
  assert.equal(refusal(`i-${"9".repeat(1_000_000)}e`), "bad-integer");
  assert.equal(refusal(`${"9".repeat(1_000_000)}:`), "bad-length");
});

test("BEN-7: duplicate keys are refused in both modes, neighbours or not", () => {
  assert.equal(refusal("d1:ai1e1:ai2ee"), "duplicate-key");
  assert.equal(refusal("d1:ai1e1:ai2ee", { lax: true }), "duplicate-key");
  assert.equal(refusal("d1:ai1e1:bi2e1:ai3ee", { lax: true }), "duplicate-key");
  assert.equal(refusal("d1:bi1e1:ai2e1:bi3ee", { lax: true }), "duplicate-key");
});

test("BEN-8: the lax mode takes unsorted keys, the encoder sorts them", () => {
  const unsorted = "d1:bi1e1:ai2e2:aai3ee";
  assert.equal(refusal(unsorted), "unsorted-keys");
  const value = decode(fromLatin1(unsorted), { lax: true });
  assert.deepEqual(
    [...(value as ReadonlyMap<string, BencodeValue>)],
    [
      ["b", 1],
      ["a", 2],
      ["aa", 3],
    ],
  );
  assert.equal(toLatin1(encode(value)), "d1:ai2e2:aai3e1:bi1ee");
});

test("BEN-8: keys are ordered by bytes, not by UTF-16 units", () => {
  // U+FFFD is below U+1F600 in bytes (ef.. < f0..) and above it in UTF-16 (fffd > d83d).
  const low = toLatin1(new TextEncoder().encode("\u{fffd}"));
  const high = toLatin1(new TextEncoder().encode("\u{1f600}"));
  assert.ok(isDict(decode(fromLatin1(`d3:${low}0:4:${high}0:e`))));
  assert.equal(refusal(`d4:${high}0:3:${low}0:e`), "unsorted-keys");
});

test("BEN-9: bytes after the value are allowed only when the caller asked for a prefix", () => {
  assert.equal(refusal("i1ei2e"), "trailing-bytes");
  const message = fromLatin1("d8:msg_typei1e5:piecei0ee<block>");
  const { value, end } = decodePrefix(message);
  assert.ok(isDict(value));
  assert.equal(toLatin1(message.subarray(end)), "<block>");
});

test("BEN-10: values are counted, and too many are refused", () => {
  assert.equal(refusal(`l${"i1e".repeat(ITEMS_MAX)}e`), "too-many-items");
  assert.equal(refusal("l0:0:0:e", { itemsMax: 3 }), "too-many-items");
  assert.ok(isList(decode(fromLatin1("l0:0:0:e"), { itemsMax: 4 })));
  assert.equal(refusal("ld1:a0:ee", { itemsMax: 2 }), "too-many-items");
});

test("BEN-10: a million small items and 200,000 keys stay small", () => {
  const before = process.memoryUsage().rss;
  const items = decode(fromLatin1(`l${"0:".repeat(1_000_000)}e`));
  assert.ok(isList(items) && items.length === 1_000_000);
  let keys = "d";
  for (let i = 0; i < 200_000; i += 1) keys += `6:${String(i).padStart(6, "0")}de`;
  const dict = decode(fromLatin1(`${keys}e`));
  assert.ok(isDict(dict) && dict.size === 200_000);
  assert.ok(process.memoryUsage().rss - before < 300_000_000);
});

test("bytesMax: input above the caller's limit is not read", () => {
  assert.equal(refusal("3:abc", { bytesMax: 4 }), "too-long");
  assert.ok(isBytes(decode(fromLatin1("3:abc"), { bytesMax: 5 })));
});

test("BEN-11: keys that are special in JavaScript are plain keys", () => {
  const dict = decode(fromLatin1("d9:__proto__d8:pollutedi1ee11:constructori2e8:toStringi3ee"));
  assert.ok(isDict(dict));
  assert.deepEqual([...dict.keys()], ["__proto__", "constructor", "toString"]);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test("BEN-12: bytes in, same bytes out, whatever they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 80 }), (a, b) => {
      const encoded = encode(new Map([[toLatin1(b), a]]));
      const decoded = decode(encoded);
      assert.ok(isDict(decoded));
      const [[key, value]] = [...decoded] as [[string, Uint8Array]];
      assert.ok(equalBytes(fromLatin1(key), b) && equalBytes(value, a));
      assert.ok(equalBytes(encode(decoded), encoded));
    }),
  );
});

test("BEN-13: every cut of every sample is an error of ours", () => {
  for (const sample of samples) {
    const bytes = fromLatin1(sample);
    assert.ok(equalBytes(encode(decode(bytes)), bytes), sample);
    for (let length = 0; length < bytes.length; length += 1) {
      assert.equal(refusal(bytes.subarray(0, length)), "truncated", sample.slice(0, length));
    }
  }
});

test("one byte deleted or inserted gives an error or another value", () => {
  for (const sample of samples) {
    for (let at = 0; at <= sample.length; at += 1) {
      for (const changed of [
        sample.slice(0, at) + sample.slice(at + 1),
        ...["0", "1", ":", "e", "i", "l", "d"].map(
          (c) => sample.slice(0, at) + c + sample.slice(at),
        ),
      ]) {
        if (changed === sample) continue;
        try {
          assert.notEqual(toLatin1(encode(decode(fromLatin1(changed)))), sample);
        } catch (error) {
          assert.ok(error instanceof BencodeError, changed);
        }
      }
    }
  }
});

const anyValue = fc.letrec<{ value: BencodeValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.uint8Array(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 64n) + 1n, max: 2n ** 64n - 1n }).map(narrow),
    fc.array(tie("value"), { maxLength: 5 }),
    fc
      .dictionary(fc.string({ unit: "binary-ascii" }), tie("value"), { maxKeys: 5 })
      .map((record) => new Map(Object.entries(record))),
  ),
})).value;

function narrow(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Puts maps into the order of the encoding, because `deepEqual` ignores the order of maps. */
function sorted(value: BencodeValue): BencodeValue {
  if (isList(value)) return value.map(sorted);
  if (!isDict(value)) return value;
  return new Map([...value.keys()].sort().map((key) => [key, sorted(value.get(key)!)]));
}

test("decode(encode(v)) is v, and encode(decode(x)) is x", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const encoded = encode(value);
      const decoded = decode(encoded);
      assert.deepEqual(decoded, sorted(value));
      assert.ok(equalBytes(encode(decoded), encoded));
    }),
    { numRuns: 500 },
  );
});

test("random bytes give a value that encodes back, or an error of ours", () => {
  const bytes = fc.array(fc.constantFrom(..."0123456789:ilde-abc"), { maxLength: 40 });
  fc.assert(
    fc.property(bytes, (characters) => {
      const input = fromLatin1(characters.join(""));
      try {
        assert.ok(equalBytes(encode(decode(input)), input));
      } catch (error) {
        assert.ok(error instanceof BencodeError);
      }
    }),
    { numRuns: 5000 },
  );
});

test("a Buffer as input gives plain views of the same memory", () => {
  const pool = Buffer.from("xx4:spamxx");
  const value = decode(pool.subarray(2, 8));
  assert.ok(isBytes(value) && value.constructor === Uint8Array);
  assert.equal(toLatin1(value), "spam");
  assert.equal(value.buffer, pool.buffer);
});
