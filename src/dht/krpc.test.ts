import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromLatin1, toLatin1 } from "../base/bytes.ts";
import { getBytes, getInteger } from "../bencode/bencode-value.ts";
import { DhtError } from "./dht-error.ts";
import { encodeFailure, encodeQuery, encodeReply } from "./encode-krpc.ts";
import { decodeKrpc, type KrpcMessage, PACKET_BYTES_MAX } from "./krpc.ts";

const ID = "20:abcdefghij0123456789";

function read(text: string): KrpcMessage {
  return decodeKrpc(fromLatin1(text));
}

test("reads the packets of BEP 5", () => {
  const ping = read(`d1:ad2:id${ID}e1:q4:ping1:t2:aa1:y1:qe`);
  assert.equal(ping.kind === "query" && ping.method, "ping");
  assert.equal(toLatin1(ping.transaction), "aa");
  const peers = read(
    "d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
  );
  assert.equal(peers.kind === "reply" && toLatin1(getBytes(peers.results, "token")!), "aoeusnth");
  const announce = read(
    `d1:ad2:id${ID}12:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe`,
  );
  assert.equal(announce.kind === "query" && getInteger(announce.args, "port"), 6881);
  const error = read("d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee");
  assert.deepEqual(error.kind === "failure" && [error.code, error.text], [
    201,
    "A Generic Error Ocurred",
  ]);
});

test("takes what libtorrent takes: keys in any order, bytes behind, errors without a text", () => {
  assert.equal(read(`d1:y1:q1:t1:a1:q4:ping1:ad2:id${ID}ee`).kind, "query");
  assert.equal(read(`d1:ad2:id${ID}e1:q4:ping1:t2:aa1:y1:qejunk`).kind, "query");
  const bare = read("d1:t2:aa1:y1:ee");
  assert.deepEqual(bare.kind === "failure" && [bare.code, bare.text], [201, ""]);
});

test("DHT-5: a transaction id of 16 bytes is echoed, a longer one is not", () => {
  const query = (length: number): string =>
    `d1:ad2:id${ID}e1:q4:ping1:t${length}:${"t".repeat(length)}1:y1:qe`;
  assert.equal(read(query(16)).transaction.length, 16);
  for (const length of [17, 1000]) assert.throws(() => read(query(length)), DhtError);
});

test("DHT-1: what is no message is refused, and so gets no answer", () => {
  const broken = [
    "",
    "x",
    "le",
    "de",
    "d1:y1:qe",
    `d1:ad2:id${ID}e1:q4:ping1:y1:qe`,
    `d1:ad2:id${ID}e1:q4:ping1:t0:1:y1:qe`,
    `d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe`,
    `d1:ade1:q4:ping1:t2:aa1:y1:qe`,
    `d1:ad2:id${ID}e1:q33:${"m".repeat(33)}1:t2:aa1:y1:qe`,
    `d1:rle1:t2:aa1:y1:re`,
    `d1:ad2:id${ID}e1:q4:ping1:t2:aa1:y1:xe`,
    `d1:ad2:id${ID}2:id${ID}e1:q4:ping1:t2:aa1:y1:qe`,
    `d1:al${"l".repeat(200)}${"e".repeat(200)}e1:t2:aa1:y1:qe`,
  ];
  for (const text of broken) {
    assert.throws(() => read(text), { name: "DhtError", code: "malformed" }, text);
  }
  const long = concatBytes([fromLatin1("d"), new Uint8Array(PACKET_BYTES_MAX)]);
  assert.throws(() => decodeKrpc(long), { code: "malformed" });
});

test("what is written is read again, and keys are in order", () => {
  const id = fromLatin1("abcdefghij0123456789");
  const transaction = fromLatin1("aa");
  const query = encodeQuery({
    transaction,
    method: "put",
    args: { id, token: fromLatin1("t"), v: fromLatin1("d1:xi1ee") },
    readOnly: true,
  });
  assert.equal(
    toLatin1(query),
    `d1:ad2:id${ID}5:token1:t1:vd1:xi1eee1:q3:put2:roi1e1:t2:aa1:v4:EV\0\u00011:y1:qe`,
  );
  const asked = decodeKrpc(query);
  assert.ok(asked.kind === "query" && asked.readOnly);
  assert.equal(toLatin1(getBytes(asked.args, "v")!), "d1:xi1ee", "the value stays encoded");
  const to = { address: "1.2.3.4", port: 80 };
  const reply = decodeKrpc(encodeReply({ transaction, results: { id }, to }));
  assert.deepEqual(reply.kind === "reply" && reply.outer, to);
  const failure = decodeKrpc(encodeFailure({ transaction, code: 204, text: "no" }));
  assert.deepEqual(failure, { kind: "failure", transaction, code: 204, text: "no" });
});
