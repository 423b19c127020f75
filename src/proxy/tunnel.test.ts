import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, encodeUtf8, fromHex, fromLatin1, toHex, toLatin1 } from "../base/bytes.ts";
import { ProxyError } from "./proxy-error.ts";
import { parseProxyUrl } from "./proxy-url.ts";
import { SocksHandshake } from "./socks-handshake.ts";
import { streamThrough, Tunnel } from "./tunnel.ts";
import type { TunnelTarget } from "./tunnel-handshake.ts";

const PEER = { host: "10.1.2.3", port: 6881 };
const SOCKS = "socks5://127.0.0.1:1080";
const SOCKS_LOGIN = "socks5://me:pw@127.0.0.1:1080";
const HTTP = "http://127.0.0.1:3128";
const HTTP_LOGIN = "http://me:pw@127.0.0.1:3128";

/** What the proxy answers, and what we have sent in the end; `undefined` in place of bytes until the tunnel is open. */
function talk(
  url: string,
  target: TunnelTarget,
  answers: readonly Uint8Array[],
  partBytes = 1_000_000,
): { readonly sent: Uint8Array; readonly early: Uint8Array | undefined } {
  const tunnel = new Tunnel(streamThrough(parseProxyUrl(url), target));
  const sent = [tunnel.begin()];
  let early: Uint8Array | undefined;
  const received = concatBytes(answers);
  for (let at = 0; at < received.length; at += partBytes) {
    const part = received.slice(at, at + partBytes);
    if (early) {
      early = concatBytes([early, part]);
      continue;
    }
    const { send, open } = tunnel.push(part);
    sent.push(...send);
    early = open?.early;
  }
  return { sent: concatBytes(sent), early };
}

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(" ", ""))!;
const GRANTED = hex("05 00 00 01 00000000 0000");
const EARLY = encodeUtf8("early");

for (const partBytes of [1, 3, 1000]) {
  test(`SOCKS5: a stream to an address, ${partBytes} bytes at a time`, () => {
    const { sent, early } = talk(SOCKS, PEER, [hex("05 00"), GRANTED, EARLY], partBytes);
    assert.equal(toHex(sent), toHex(hex("05 01 00  05 01 00 01 0a010203 1ae1")));
    assert.deepEqual(early, EARLY);
  });

  test(`SOCKS5: a name is resolved at the proxy, with name and password, ${partBytes} at a time`, () => {
    const target = { host: "tracker.example", port: 443 };
    const named = hex("05 00 00 03 03 616263 1234");
    const { sent, early } = talk(
      SOCKS_LOGIN,
      target,
      [hex("05 02 01 00"), named, EARLY],
      partBytes,
    );
    const name = toHex(encodeUtf8("tracker.example"));
    const expected = `05 02 00 02  01 02 6d65 02 7077  05 01 00 03 0f ${name} 01bb`;
    assert.equal(toHex(sent), toHex(hex(expected)));
    assert.deepEqual(early, EARLY);
  });

  test(`HTTP: CONNECT with credentials, ${partBytes} bytes at a time`, () => {
    const answer = fromLatin1("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nearly");
    const { sent, early } = talk(
      HTTP_LOGIN,
      { host: "2001:db8::1", port: 80 },
      [answer],
      partBytes,
    );
    const lines = [
      "CONNECT [2001:db8::1]:80 HTTP/1.1",
      "Host: [2001:db8::1]:80",
      "Proxy-Authorization: Basic bWU6cHc=",
    ];
    assert.equal(toLatin1(sent), `${lines.join("\r\n")}\r\n\r\n`);
    assert.deepEqual(early, EARLY);
  });
}

test("SOCKS5: an IPv6 address, and a relay for datagrams", () => {
  const { sent } = talk(SOCKS, { host: "2001:db8::1", port: 1 }, [hex("05 00")]);
  assert.equal(toHex(sent.subarray(3)), `0501000420010db8${"0".repeat(22)}010001`);
  const target = { host: "0.0.0.0", port: 0 };
  const tunnel = new Tunnel(new SocksHandshake({ command: "associate", target, login: undefined }));
  tunnel.begin();
  const [request] = tunnel.push(hex("05 00")).send;
  assert.equal(toHex(request!), "05030001000000000000");
  const { open } = tunnel.push(hex("05 00 00 01 7f000001 2710"));
  assert.deepEqual(open?.bound, { address: "127.0.0.1", port: 10_000 });
});

test("HTTP: interim answers are passed over, and lines may end in LF alone", () => {
  for (const end of ["\r\n", "\n"]) {
    const answer = `HTTP/1.1 103 Early${end}a: b${end}${end}HTTP/1.0 200${end}${end}early`;
    assert.deepEqual(talk(HTTP, PEER, [fromLatin1(answer)]).early, EARLY);
  }
});

const REFUSED: readonly (readonly [
  what: string,
  url: string,
  answer: Uint8Array,
  words: RegExp,
])[] = [
  ["no way to sign in", SOCKS, hex("05 ff"), /wants a name and password/],
  ["another way to sign in", SOCKS_LOGIN, hex("05 ff"), /wants another name and password/],
  ["a wrong password", SOCKS_LOGIN, hex("05 02 01 01"), /does not take this name/],
  ["rules", SOCKS, hex("05 00 05 02"), /its rules do not allow it/],
  ["a closed port", SOCKS, hex("05 00 05 05 00 01 00000000 0000"), /no program listens there/],
  ["an unknown code", SOCKS, hex("05 00 05 77"), /unknown code 119/],
  ["407", HTTP, fromLatin1("HTTP/1.1 407 No\r\n\r\n"), /wants a name and password/],
  [
    "407 after a login",
    HTTP_LOGIN,
    fromLatin1("HTTP/1.1 407 No\r\n\r\n"),
    /does not take this name/,
  ],
  [
    "403",
    HTTP,
    fromLatin1("HTTP/1.1 403 Filtered\r\n\r\n<html>"),
    /did not get through: 403 Filtered/,
  ],
];
for (const [what, url, answer, words] of REFUSED) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => talk(url, PEER, [answer], 1),
      (error) =>
        error instanceof ProxyError &&
        error.code === (/password|take this/.test(words.source) ? "login" : "refused") &&
        words.test(error.message),
    );
  });
}

const NONSENSE: readonly (readonly [what: string, url: string, answer: Uint8Array])[] = [
  ["SOCKS4", SOCKS, hex("00 5a")],
  ["a web server behind SOCKS5", SOCKS, fromLatin1("HTTP/1.1 400 Bad\r\n\r\n")],
  ["a method that was not offered", SOCKS, hex("05 02")],
  ["a method that nobody speaks", SOCKS_LOGIN, hex("05 01")],
  ["a login of another version", SOCKS_LOGIN, hex("05 02 05 00")],
  ["an address of an unknown kind", SOCKS, hex("05 00 05 00 00 09 01020304 0001")],
  ["SOCKS5 behind HTTP", HTTP, hex("05 ff 00 00 00")],
  ["a switch of protocols", HTTP, fromLatin1("HTTP/1.1 101 Switching\r\n\r\n")],
  ["interim answers without an end", HTTP, fromLatin1("HTTP/1.1 100 Go on\r\n\r\n".repeat(20))],
  ["a head without an end", HTTP, fromLatin1(`HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(5000)}`)],
  ["a line without an end", HTTP, fromLatin1(`HTTP/1.1 200 ${"x".repeat(20_000)}`)],
];
for (const [what, url, answer] of NONSENSE) {
  test(`house rule 2: nonsense is refused: ${what}`, () => {
    for (const partBytes of [1, 100_000]) {
      assert.throws(
        () => talk(url, PEER, [answer], partBytes),
        (error) => error instanceof ProxyError && error.code === "bad-reply",
      );
    }
  });
}

test("a name that cannot be sent is refused before anything is", () => {
  for (const host of ["a b", "a\r\nHost: b", "", "x".repeat(256)]) {
    for (const url of [HTTP, SOCKS]) {
      if (url === SOCKS && host !== "" && host.length < 256) continue;
      assert.throws(() => talk(url, { host, port: 1 }, [hex("05 00")]), { code: "refused" });
    }
  }
});
