import { concatBytes, encodeUtf8 } from "../base/bytes.ts";
import { ProxyError } from "./proxy-error.ts";
import type { ProxyLogin } from "./proxy-url.ts";
import { decodeSocksAddress, encodeSocksAddress } from "./socks-address.ts";
import type { TunnelHandshake, TunnelStep, TunnelTarget } from "./tunnel-handshake.ts";

const VERSION = 5;
const LOGIN_VERSION = 1;
const SUCCESS = 0;

const NO_LOGIN = 0;
const WITH_LOGIN = 2;
const NO_METHOD = 0xff;

const COMMANDS = { connect: 1, associate: 3 } as const;

/** The answers of RFC 1928, 6, in words. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [1, "it failed"],
  [2, "its rules do not allow it"],
  [3, "it does not reach that network"],
  [4, "it does not reach that host"],
  [5, "no program listens there"],
  [6, "there was no answer in time"],
  [7, "it does not do that"],
  [8, "it does not do addresses of that kind"],
]);

const MORE: TunnelStep = { consumed: 0 };

export interface SocksRequest {
  /** A stream to the target, or a relay for datagrams. */
  readonly command: keyof typeof COMMANDS;
  readonly target: TunnelTarget;
  readonly login: ProxyLogin | undefined;
}

/**
 * Asks a SOCKS5 proxy for something (RFC 1928), with a name and a password where it wants them (RFC 1929).
 *
 * method -> reply -> done; method -> login -> reply -> done.
 */
export class SocksHandshake implements TunnelHandshake {
  readonly #request: SocksRequest;
  #state: "method" | "login" | "reply" = "method";

  constructor(request: SocksRequest) {
    this.#request = request;
  }

  begin(): Uint8Array {
    const methods = this.#request.login ? [NO_LOGIN, WITH_LOGIN] : [NO_LOGIN];
    return Uint8Array.of(VERSION, methods.length, ...methods);
  }

  next(received: Uint8Array): TunnelStep {
    switch (this.#state) {
      case "method":
        return this.#handleMethod(received);
      case "login":
        return this.#handleLogin(received);
      case "reply":
        return handleReply(received);
    }
  }

  #handleMethod(received: Uint8Array): TunnelStep {
    demandVersion(received, VERSION);
    if (received.length < 2) return MORE;
    const { login } = this.#request;
    const method = received[1]!;
    if (method === NO_METHOD) {
      throw new ProxyError("login", `the proxy wants ${login ? "another" : "a"} name and password`);
    }
    if (method === NO_LOGIN) return this.#ask();
    if (method !== WITH_LOGIN || !login) {
      throw new ProxyError("bad-reply", `the proxy chose a way to sign in that it was not offered`);
    }
    this.#state = "login";
    return { consumed: 2, send: encodeLogin(login) };
  }

  #handleLogin(received: Uint8Array): TunnelStep {
    demandVersion(received, LOGIN_VERSION);
    if (received.length < 2) return MORE;
    if (received[1] === SUCCESS) return this.#ask();
    throw new ProxyError("login", "the proxy does not take this name and password");
  }

  #ask(): TunnelStep {
    const { command, target } = this.#request;
    const head = Uint8Array.of(VERSION, COMMANDS[command], 0);
    this.#state = "reply";
    return { consumed: 2, send: concatBytes([head, encodeSocksAddress(target)]) };
  }
}

function handleReply(received: Uint8Array): TunnelStep {
  demandVersion(received, VERSION);
  const answer = received[1];
  if (answer === undefined) return MORE;
  // Some proxies end a refusal here.
  if (answer !== SUCCESS) {
    const why = REFUSALS.get(answer) ?? `it answers with the unknown code ${answer}`;
    throw new ProxyError("refused", `the proxy did not get through: ${why}`);
  }
  const found = decodeSocksAddress(received, 3);
  if (!found) return MORE;
  const { host, isName, port } = found.address;
  return { consumed: found.end, open: { bound: isName ? undefined : { address: host, port } } };
}

function demandVersion(received: Uint8Array, version: number): void {
  if (received.length === 0 || received[0] === version) return;
  throw new ProxyError("bad-reply", "what answers there is no SOCKS5 proxy");
}

function encodeLogin({ name, password }: ProxyLogin): Uint8Array {
  const [nameBytes, passwordBytes] = [encodeUtf8(name), encodeUtf8(password)];
  return concatBytes([
    Uint8Array.of(LOGIN_VERSION, nameBytes.length),
    nameBytes,
    Uint8Array.of(passwordBytes.length),
    passwordBytes,
  ]);
}
