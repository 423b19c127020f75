import { addressBytes, formatAddress } from "../base/endpoint.ts";
import { encodeUtf8 } from "../base/bytes.ts";
import { ProxyError } from "./proxy-error.ts";

/** A proxy, as a person names it. */
export interface ProxyAddress {
  readonly kind: "socks5" | "http";
  /** A name or a literal address. */
  readonly host: string;
  readonly port: number;
  readonly login: ProxyLogin | undefined;
}

export interface ProxyLogin {
  readonly name: string;
  readonly password: string;
}

const URL_FORM =
  /^(socks5h?|http):\/\/(?:([^:@/\s]*)(?::([^@/\s]*))?@)?(?:\[([0-9a-f:.]+)\]|([^:@/[\]\s]+)):([0-9]{1,5})\/?$/i;
/** Bytes of a name or a password (RFC 1929), and of a host name. */
const TEXT_BYTES_MAX = 255;

const TAKES =
  "It takes socks5://HOST:PORT or http://HOST:PORT, with NAME:PASSWORD@ before the host";

/**
 * Reads `socks5://[NAME:PASSWORD@]HOST:PORT` (also `socks5h`, which means the same here: names are always resolved at the
 * proxy) and `http://...`. The port has to be there: programs do not agree on a default.
 *
 * @throws {ProxyError} `bad-url`. The message does not repeat the text, which may hold a password.
 */
export function parseProxyUrl(text: string): ProxyAddress {
  const match = URL_FORM.exec(text.trim());
  if (!match) throw new ProxyError("bad-url", `${TAKES} where it wants one.`);
  const [, scheme, name, password, ipv6, plain, digits] = match;
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw new ProxyError("bad-url", `${TAKES}; ports end at 65535.`);
  const bytes = addressBytes(ipv6 ?? plain!);
  if (ipv6 !== undefined && !bytes) throw new ProxyError("bad-url", `${TAKES} where it wants one.`);
  return {
    kind: scheme!.toLowerCase() === "http" ? "http" : "socks5",
    host: bytes ? formatAddress(bytes) : plain!,
    port,
    login: name === undefined ? undefined : readLogin(name, password ?? ""),
  };
}

/** The proxy without its secrets, for people and logs. */
export function proxyName({ kind, host, port }: ProxyAddress): string {
  return `${kind}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function readLogin(name: string, password: string): ProxyLogin | undefined {
  const login = { name: decodePercent(name), password: decodePercent(password) };
  if (login.name === "" && login.password === "") return undefined;
  for (const text of [login.name, login.password]) {
    if (encodeUtf8(text).length > TEXT_BYTES_MAX) {
      throw new ProxyError(
        "bad-url",
        `Its name and its password have at most ${TEXT_BYTES_MAX} bytes.`,
      );
    }
  }
  return login;
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    const why = "A % in its name or password has to be written as %25.";
    throw new ProxyError("bad-url", why, { cause: error });
  }
}
