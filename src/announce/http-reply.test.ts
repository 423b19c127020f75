import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromLatin1, toLatin1 } from "../base/bytes.ts";
import { encodeCompact, type Endpoint } from "../base/endpoint.ts";
import { AnnounceAnswer, ANSWER_PEERS_MAX } from "./announce-answer.ts";
import { AnnounceError } from "./announce-error.ts";
import { AnnounceRequest } from "./announce-request.ts";
import { encodeFailure, HTTP_ANSWER_BYTES_MAX, HttpAnswerEncoder } from "./http-answer.ts";
import { decodeHttpReply, REPLY_BYTES_MAX, REPLY_PEERS_MAX } from "./http-reply.ts";
import { ReplyWriter } from "./reply-writer.ts";

const IPV4: readonly Endpoint[] = [
  { address: "250.192.86.97", port: 18252 },
  { address: "1.2.3.4", port: 1 },
];
const IPV6: readonly Endpoint[] = [
  { address: "2001:db8::1", port: 6881 },
  { address: "fe80::1", port: 65535 },
];

function answerOf(endpoints: readonly Endpoint[], entryBytes: 6 | 18): AnnounceAnswer {
  const answer = new AnnounceAnswer();
  answer.reset(entryBytes);
  answer.complete = 1;
  answer.incomplete = endpoints.length;
  answer.downloaded = 7;
  for (const [index, endpoint] of endpoints.entries()) {
    answer.peers.set(encodeCompact(endpoint), index * entryBytes);
    answer.peerIds.set(
      fromLatin1(`-EV0100-abcdefghi${String(index).padStart(3, "0")}`),
      index * 20,
    );
  }
  answer.peerCount = endpoints.length;
  return answer;
}

/** The defaults of the seed paper (PUB-3.4). */
const PAPER = { intervalS: 720, minIntervalS: 240, trackerId: "EVERTRACKER", warningMessage: "" };

function write(
  answer: AnnounceAnswer,
  request: Partial<AnnounceRequest>,
  policy = PAPER,
): Uint8Array {
  const writer = new ReplyWriter(HTTP_ANSWER_BYTES_MAX);
  const external = answer.entryBytes === 6 ? new Uint8Array([127, 0, 0, 1]) : new Uint8Array(16);
  new HttpAnswerEncoder(policy).write(
    writer,
    Object.assign(new AnnounceRequest(), request),
    answer,
    external,
  );
  return writer.take();
}

const refused: readonly (readonly [string, Uint8Array])[] = [
  ["TRK-19: a web page", fromLatin1("<!doctype html><html><body>404</body></html>")],
  ["nothing", new Uint8Array(0)],
  ["a list", fromLatin1("le")],
  ["a number", fromLatin1("i1e")],
  ["a reply cut short", fromLatin1("d8:intervali1800e5:peers60:")],
  ["TRK-19: nested lists", fromLatin1(`d1:a${"l".repeat(1000)}${"e".repeat(1000)}e`)],
  [
    "TRK-19: 10 MB of failure reason",
    fromLatin1(`d14:failure reason10485760:${"x".repeat(10_485_760)}e`),
  ],
];

for (const [name, body] of refused) {
  test(`${name} is no reply`, () => {
    assert.throws(
      () => decodeHttpReply(body),
      (error) => error instanceof AnnounceError && error.code === "bad-reply",
    );
  });
}

test("a web page is reported as such", () => {
  assert.throws(() => decodeHttpReply(fromLatin1("\n<html>")), /a web page/);
});

test("PUB-3.4: golden reply, peers as dictionaries", () => {
  const answer = answerOf(IPV4.slice(0, 1), 6);
  const request = { compact: false, emptyTrackerId: true };
  assert.equal(
    toLatin1(write(answer, request)),
    "d8:completei1e10:downloadedi7e11:external ip4:\x7f\0\0\x0110:incompletei1e8:intervali720e" +
      "12:min intervali240e5:peersld2:ip13:250.192.86.977:peer id20:-EV0100-abcdefghi000" +
      "4:porti18252eee10:tracker id11:EVERTRACKER15:warning message0:e",
  );
});

test("PUB-3.4, PUB-3.8: golden reply, compact", () => {
  assert.equal(
    toLatin1(write(answerOf(IPV4, 6), { compact: true, emptyTrackerId: true })),
    "d8:completei1e10:downloadedi7e11:external ip4:\x7f\0\0\x0110:incompletei2e8:intervali720e" +
      "12:min intervali240e5:peers12:\xfa\xc0\x56\x61\x47\x4c\x01\x02\x03\x04\0\x01" +
      "10:tracker id11:EVERTRACKER15:warning message0:e",
  );
});

test("the seed paper's own reply is read", () => {
  const reply = decodeHttpReply(
    fromLatin1(
      "d8:completei1e10:incompletei0e8:intervali720e12:min intervali240e5:peersl" +
        "d2:ip13:250.192.86.977:peer_id20:-EV0100-abcdefghijkl4:porti18252eee" +
        "10:tracker id11:EVERTRACKER15:warning message0:e",
    ),
  );
  assert.equal(reply.kind, "reply");
  assert.deepEqual(reply, {
    kind: "reply",
    intervalS: 720,
    minIntervalS: 240,
    complete: 1,
    incomplete: 0,
    downloaded: undefined,
    peers: IPV4.slice(0, 1),
    trackerId: fromLatin1("EVERTRACKER"),
    warning: undefined,
    externalAddress: undefined,
  });
});

for (const [family, endpoints, entryBytes] of [
  ["IPv4", IPV4, 6],
  ["IPv6, entries of 18 bytes", IPV6, 18],
] as const) {
  for (const compact of [true, false]) {
    test(`BEP 7, 23: ${family}, ${compact ? "compact" : "dictionaries"}: read as written`, () => {
      const body = write(answerOf(endpoints, entryBytes), { compact });
      const reply = decodeHttpReply(body);
      assert.ok(reply.kind === "reply");
      assert.deepEqual(reply.peers, endpoints);
      assert.equal(reply.minIntervalS, 240);
      assert.equal(reply.externalAddress, entryBytes === 6 ? "127.0.0.1" : "::");
      if (compact && entryBytes === 18) {
        assert.ok(toLatin1(body).includes("5:peers0:6:peers636:"));
      }
    });
  }
}

test("no_peer_id leaves the ids out, and an unknown id is not invented", () => {
  const answer = answerOf(IPV4, 6);
  assert.doesNotMatch(toLatin1(write(answer, { compact: false, noPeerId: true })), /peer id/);
  answer.peerIds.fill(0, 0, 20);
  assert.equal(toLatin1(write(answer, { compact: false })).split("7:peer id").length, 2);
});

test("TRK-6: the longest answer fits: 200 peers of IPv6 as dictionaries", () => {
  const peers = Array.from({ length: ANSWER_PEERS_MAX }, (_, i) => ({
    address: `2001:db8:aaaa:bbbb:cccc:dddd:eeee:${(0x1000 + i).toString(16)}`,
    port: 65535,
  }));
  const warned = { ...PAPER, warningMessage: "Grüße ".repeat(50) };
  const reply = decodeHttpReply(write(answerOf(peers, 18), { compact: false }, warned));
  assert.ok(reply.kind === "reply");
  assert.deepEqual(reply.peers, peers);
});

test("an empty warning is sent only to clients that expect the key", () => {
  const plain = toLatin1(write(answerOf([], 6), {}));
  assert.doesNotMatch(plain, /warning/);
  const reply = decodeHttpReply(
    write(answerOf([], 6), {}, { ...PAPER, warningMessage: "für alle" }),
  );
  assert.ok(reply.kind === "reply");
  assert.equal(reply.warning, "für alle");
  assert.doesNotMatch(
    toLatin1(write(answerOf([], 6), {}, { ...PAPER, trackerId: "" })),
    /tracker id/,
  );
});

test("counts are written digit by digit", () => {
  for (const count of [0, 9, 10, 99, 1_000_000, 2 ** 53 - 1]) {
    const writer = new ReplyWriter(32);
    writer.digits(count);
    assert.equal(toLatin1(writer.take()), String(count));
  }
});

test("BEP 31: failures, and when to come back", () => {
  for (const [retry, expected] of [
    [undefined, undefined],
    [5, 5],
    ["never", "never"],
  ] as const) {
    assert.deepEqual(decodeHttpReply(encodeFailure("nicht für dich", retry)), {
      kind: "failure",
      reason: "nicht für dich",
      retryInMinutes: expected,
    });
  }
  for (const [text, expected] of [
    ["8:retry in1:7", 7],
    ["8:retry in5:never", "never"],
    ["8:retry in2:-7", undefined],
    ["8:retry ini-7e", undefined],
    ["8:retry in3:1e3", undefined],
    ["8:retry inle", undefined],
  ] as const) {
    const reply = decodeHttpReply(fromLatin1(`d14:failure reason1:x${text}e`));
    assert.ok(reply.kind === "failure");
    assert.equal(reply.retryInMinutes, expected, text);
  }
});

test("TRK-19: a long failure reason is cut, an empty one gets a default text", () => {
  const long = decodeHttpReply(encodeFailure("x".repeat(100_000)));
  assert.ok(long.kind === "failure" && long.reason.length === 303);
  const empty = decodeHttpReply(encodeFailure(""));
  assert.ok(empty.kind === "failure" && empty.reason.length > 0);
});

test("TRK-19: only 500 of 100,000 peers are used, in each form", () => {
  const compact = concatBytes([
    fromLatin1("d5:peers600000:"),
    new Uint8Array(600_000).fill(1),
    fromLatin1("e"),
  ]);
  const list = fromLatin1(`d5:peersl${"d2:ip7:1.1.1.14:porti1ee".repeat(40_000)}ee`);
  for (const body of [compact, list]) {
    assert.ok(body.length <= REPLY_BYTES_MAX);
    const reply = decodeHttpReply(body);
    assert.ok(reply.kind === "reply");
    assert.equal(reply.peers.length, REPLY_PEERS_MAX);
  }
});

test("unusable fields are ignored, the rest is used", () => {
  const reply = decodeHttpReply(
    fromLatin1(
      "d8:completei-1e10:incomplete1:x8:intervali-1e12:min intervali4611686018427387904e5:peersl" +
        "d2:ip9:localhost4:porti1ee" +
        "d2:ip7:1.2.3.44:porti0ee" +
        "d2:ip7:1.2.3.44:porti65536ee" +
        "d2:ip7:1.2.3.4e" +
        "i5e" +
        "d2:ip14:::ffff:1.2.3.44:porti80eee" +
        "10:tracker id0:e",
    ),
  );
  assert.ok(reply.kind === "reply");
  assert.deepEqual(reply.peers, [{ address: "1.2.3.4", port: 80 }]);
  assert.equal(reply.complete, undefined);
  assert.equal(reply.incomplete, undefined);
  assert.equal(reply.trackerId, undefined);
});

test("a truncated last entry and entries of port 0 are left out", () => {
  const reply = decodeHttpReply(
    fromLatin1("d5:peers14:\x01\x02\x03\x04\0\x50\x05\x06\x07\x08\0\0zze"),
  );
  assert.ok(reply.kind === "reply");
  assert.deepEqual(reply.peers, [{ address: "1.2.3.4", port: 80 }]);
});

test("BEN-7, BEN-9: answers that break the rules harmlessly are read", () => {
  for (const body of [
    "d8:intervali0900e5:peers6:\x01\x02\x03\x04\0\x50e",
    "d8:intervali900e5:peers6:\x01\x02\x03\x04\0\x50e\r\n",
    "d8:intervali900e5:peers6:\x01\x02\x03\x04\0\x50e<!-- 12 ms -->",
    "d5:peers6:\x01\x02\x03\x04\0\x508:intervali900ee",
    "d8:intervali900e8:intervali900e5:peers6:\x01\x02\x03\x04\0\x50e",
    "d8:intervali900e5:peers06:\x01\x02\x03\x04\0\x501:xi1e1:xi2ee",
    "d8:intervali900e5:peersld2:ip7:1.2.3.44:porti080eed1:xi1e1:xi2eee15:warning message1:a15:warning message1:be",
  ]) {
    const reply = decodeHttpReply(fromLatin1(body));
    assert.ok(reply.kind === "reply", body);
    assert.equal(reply.intervalS, 900);
    assert.deepEqual(reply.peers, [{ address: "1.2.3.4", port: 80 }]);
  }
  for (const body of [
    "d8:intervali900e8:intervali901e5:peers0:e",
    "d5:peers0:5:peerslee",
    "d5:peersld2:ip7:1.2.3.42:ip7:1.2.3.54:porti80eeee",
  ]) {
    assert.throws(() => decodeHttpReply(fromLatin1(body)), /says two things of/, body);
  }
});
