import { encodeUtf8, toLatin1 } from "../base/bytes.ts";
import { ProxyError } from "./proxy-error.ts";
import type { ProxyLogin } from "./proxy-url.ts";
import type { TunnelHandshake, TunnelStep, TunnelTarget } from "./tunnel-handshake.ts";

/** The head of an answer. Ours fit into a few hundred bytes. */
const HEAD_BYTES_MAX = 16 * 1024;
/** Answers that only announce another one. */
const INTERIM_MAX = 8;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const MORE: TunnelStep = { consumed: 0 };

const STATUS_LINE = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: ([\u0020-\u007e]{0,100}))?/;

/** Asks an HTTP proxy for a tunnel: `CONNECT` (RFC 9110, 9.3.6), with Basic credentials where there are any. */
export class HttpConnect implements TunnelHandshake {
  readonly #target: TunnelTarget;
  readonly #login: ProxyLogin | undefined;
  #interim = 0;

  constructor(target: TunnelTarget, login: ProxyLogin | undefined) {
    this.#target = target;
    this.#login = login;
  }

  begin(): Uint8Array {
    const { host, port } = this.#target;
    // Neither comes from a parsed URL only: a peer's address is text too.
    if (!/^[^\s/\\?#@]{1,255}$/.test(host)) {
      throw new ProxyError("refused", "the name of the host cannot be sent to a proxy");
    }
    const place = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const lines = [`CONNECT ${place} HTTP/1.1`, `Host: ${place}`];
    if (this.#login) lines.push(`Proxy-Authorization: Basic ${basic(this.#login)}`);
    return encodeUtf8(`${lines.join("\r\n")}\r\n\r\n`);
  }

  next(received: Uint8Array): TunnelStep {
    const end = headEnd(received);
    if (end === undefined) {
      if (received.length >= HEAD_BYTES_MAX) throw noHttp("its answer has no end");
      if (received.length >= 5 && toLatin1(received.subarray(0, 5)) !== "HTTP/") throw noHttp();
      return MORE;
    }
    const match = STATUS_LINE.exec(toLatin1(received.subarray(0, Math.min(end, 200))));
    if (!match || end > HEAD_BYTES_MAX) throw noHttp();
    const status = Number(match[1]);
    if (status >= 200 && status < 300) return { consumed: end, open: { bound: undefined } };
    if (status >= 200) throw refusal(status, match[2] ?? "", this.#login !== undefined);
    this.#interim += 1;
    if (this.#interim > INTERIM_MAX || status === 101) throw noHttp();
    return { consumed: end };
  }
}

/** @returns Where the body begins; lines may end in LF alone. */
function headEnd(bytes: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (bytes[at + 1] === NEWLINE) return at + 2;
    if (bytes[at + 1] === CARRIAGE_RETURN && bytes[at + 2] === NEWLINE) return at + 3;
  }
  return undefined;
}

function refusal(status: number, reason: string, hasLogin: boolean): ProxyError {
  if (status === 407) {
    const what = hasLogin ? "does not take this name and password" : "wants a name and password";
    return new ProxyError("login", `the proxy ${what}`);
  }
  return new ProxyError(
    "refused",
    `the proxy did not get through: ${`${status} ${reason}`.trim()}`,
  );
}

function noHttp(why?: string): ProxyError {
  return new ProxyError("bad-reply", `what answers there is no HTTP proxy${why ? `: ${why}` : ""}`);
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The credentials of RFC 7617, in UTF-8. */
function basic({ name, password }: ProxyLogin): string {
  const bytes = encodeUtf8(`${name}:${password}`);
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const digits = [a >> 2, ((a & 3) << 4) | (b >> 4), ((b & 15) << 2) | (c >> 6), c & 63];
    const kept = Math.min(4, bytes.length - at + 1);
    text += digits.map((digit, index) => (index < kept ? BASE64[digit] : "=")).join("");
  }
  return text;
}
