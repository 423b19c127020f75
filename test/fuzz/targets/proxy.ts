import { encodeUtf8, fromHex } from "../../../src/base/bytes.ts";
import { ProxyError } from "../../../src/proxy/proxy-error.ts";
import { parseProxyUrl } from "../../../src/proxy/proxy-url.ts";
import { unwrapDatagram, wrapDatagram } from "../../../src/proxy/socks-datagram.ts";
import { streamThrough, Tunnel } from "../../../src/proxy/tunnel.ts";
import { Refused, type FuzzTarget } from "../target.ts";

const TARGET = { host: "tracker.example", port: 443 };
/** More than any machine may hold back: the longest head of HTTP, and one part of a stream. */
const HELD_BYTES_MAX = 17 * 1024;

/** Feeds a tunnel in parts. @returns What it says, and how much of the input it took in. */
function feed(url: string, input: Uint8Array, partBytes: number): { open: boolean; early: number } {
  const tunnel = new Tunnel(streamThrough(parseProxyUrl(url), TARGET));
  tunnel.begin();
  for (let at = 0; at < input.length; at += partBytes) {
    const { open } = tunnel.push(input.slice(at, at + partBytes));
    if (open)
      return { open: true, early: open.early.length + Math.max(0, input.length - at - partBytes) };
    if (at > HELD_BYTES_MAX) throw new Error("it holds back bytes without an end");
  }
  return { open: false, early: 0 };
}

function tunnelTarget(name: string, url: string, corpus: readonly Uint8Array[]): FuzzTarget {
  return {
    name,
    corpus,
    refusals: [ProxyError],
    run: (input) => {
      const whole = feed(url, input, input.length + 1);
      const cut = feed(url, input, 7);
      if (JSON.stringify(whole) !== JSON.stringify(cut))
        throw new Error("cuts change what it says");
    },
  };
}

const socks = tunnelTarget("socks-replies", "socks5://me:pw@127.0.0.1:1", [
  fromHex("050005000001000000000000aabb")!,
  fromHex("0502010005000003036162631234ff")!,
  fromHex("0500050000042001000000000000000000000000000112345566")!,
  fromHex("05000502")!,
]);

const connect = tunnelTarget("http-connect-replies", "http://me:pw@127.0.0.1:1", [
  encodeUtf8("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nearly"),
  encodeUtf8("HTTP/1.1 103 Early\r\n\r\nHTTP/1.0 204\n\nrest"),
  encodeUtf8("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
]);

const datagram: FuzzTarget = {
  name: "socks-datagram",
  corpus: [
    wrapDatagram(encodeUtf8("d1:y1:re"), { host: "9.9.9.9", port: 6881 }),
    wrapDatagram(encodeUtf8("hello"), { host: "2001:db8::1", port: 1 }),
    wrapDatagram(encodeUtf8("named"), { host: "tracker.example", port: 80 }),
  ],
  refusals: [Refused],
  run: (input) => {
    const unwrapped = unwrapDatagram(input);
    if (!unwrapped) throw new Refused();
    const { from, bytes } = unwrapped;
    if (from.isName || from.host === "") return;
    const again = unwrapDatagram(wrapDatagram(bytes, from));
    if (again?.from.host !== from.host || again.from.port !== from.port)
      throw new Error("no round trip");
  },
};

export const targets: readonly FuzzTarget[] = [socks, connect, datagram];
