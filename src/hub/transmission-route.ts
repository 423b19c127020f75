import type { Accounts } from "../accounts/accounts.ts";
import { TORRENT_FILE_BYTES_MAX } from "../api/source-limits.ts";
import { type Actor, can } from "../accounts/permissions.ts";
import { decodeUtf8Strict } from "../base/bytes.ts";
import type { RequestContext } from "../ports/web.ts";
import type { TransmissionRpc } from "../transmission-rpc/transmission-rpc.ts";
import { COMPRESSED, type FailureParts, refusalOf } from "./failures.ts";
import type { Refusal } from "./problems.ts";
import { bodyTooLong } from "./request-body.ts";
import { isOwnRequest, knowsHost } from "./request-gate.ts";

/** Where programs expect it; some write a slash behind it. */
const TRANSMISSION_PATH = "/transmission/rpc";

export function isTransmissionPath(path: string): boolean {
  return path === TRANSMISSION_PATH || path === `${TRANSMISSION_PATH}/`;
}

/** A .torrent file in base64, and everything else of a request. */
const BODY_BYTES_MAX = Math.ceil(TORRENT_FILE_BYTES_MAX / 3) * 4 + 1024 * 1024;
const SESSION_HEADER = "x-transmission-session-id";

/** Transmission's RPC without HTTP. */
export type RpcHandler = Pick<TransmissionRpc, "handle" | "sessionId">;

export interface TransmissionRouteParts extends FailureParts {
  readonly rpc: RpcHandler;
  readonly accounts: Accounts;
  /** Host names to answer to, besides loopback and the address that a request came to. */
  readonly hosts: ReadonlySet<string>;
  readonly publicUrl: string | undefined;
}

/**
 * Transmission's RPC over HTTP. Programs send a name and a password with each request, or a token, and repeat the id of the
 * session: no page of another site can make a browser do that. Cookies count for nothing here.
 */
export class TransmissionRoute {
  readonly #parts: TransmissionRouteParts;

  constructor(parts: TransmissionRouteParts) {
    this.#parts = parts;
  }

  get rpc(): RpcHandler {
    return this.#parts.rpc;
  }

  /** Answers a request on the web port. Never rejects. */
  async handle(request: Request, context: RequestContext): Promise<Response> {
    try {
      return (
        (await this.#refuse(request, context)) ??
        (await answerTransmission(this.#parts.rpc, request))
      );
    } catch (error) {
      return inWords(refusalOf(error, TRANSMISSION_PATH, this.#parts));
    }
  }

  /** @returns `undefined` for a request of somebody who may. */
  async #refuse(request: Request, context: RequestContext): Promise<Response | undefined> {
    const { hosts, publicUrl, accounts } = this.#parts;
    const { headers } = request;
    if (!knowsHost(headers.get("host"), hosts, context.localAddress)) return inWords(WRONG_HOST);
    if (!isOwnRequest(request, { publicUrl, isApi: true })) return inWords(CROSS_SITE);
    if (!(await accounts.hasAny())) return inWords(NO_ACCOUNT);
    const actor = await this.#identify(headers, context);
    if (actor.kind === "stranger") return inWords(SIGN_IN);
    if (!can(actor, "hub.administer")) return inWords(NOT_ALLOWED);
    return undefined;
  }

  async #identify(headers: Headers, context: RequestContext): Promise<Actor> {
    const { accounts } = this.#parts;
    const authorization = headers.get("authorization");
    const credentials = {
      cookie: null,
      authorization,
      userAgent: headers.get("user-agent"),
      address: context.remoteAddress,
    };
    const basic = basicCredentials(authorization);
    if (!basic) return (await accounts.identify(credentials)).value;
    return accounts.identifyByPassword(basic.name, basic.password, credentials);
  }
}

/** Answers a caller who may do everything: the owner on the socket, or whom the route has let in. */
export async function answerTransmission(rpc: RpcHandler, request: Request): Promise<Response> {
  const { headers, method } = request;
  if ((headers.get("content-encoding") ?? "identity") !== "identity") return inWords(COMPRESSED);
  const id = { [SESSION_HEADER]: rpc.sessionId };
  // Programs begin without the id, some with a GET, and are told.
  if (headers.get(SESSION_HEADER) !== rpc.sessionId) return inWords(REPEAT_ID, id);
  if (method !== "POST") return inWords(POST_ONLY, { allow: "POST" });
  const text = await bodyOf(request);
  return new Response(await rpc.handle(text), {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      ...id,
    },
  });
}

async function bodyOf(request: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | undefined = request.body ?? undefined;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw bodyTooLong(BODY_BYTES_MAX);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** RFC 7617. @returns `undefined` for anything else. */
function basicCredentials(
  authorization: string | null,
): { readonly name: string; readonly password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]{1,2000})$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  let text: string | undefined;
  try {
    text = decodeUtf8Strict(Uint8Array.fromBase64(encoded));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const colon = text?.indexOf(":") ?? -1;
  if (text === undefined || colon < 0) return undefined;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

const CHALLENGE = { "www-authenticate": 'Basic realm="Everseed", charset="UTF-8"' };

/** Plain text: programs show the body of what they do not understand. */
function inWords(refusal: Refusal, headers: Readonly<Record<string, string>> = {}): Response {
  const { status, message, hint, id, retryAfter } = refusal;
  const lines = [message, hint, id && `The number of the error: ${id}`].filter(Boolean);
  return new Response(`${lines.join("\n")}\n`, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      ...(status === 401 && CHALLENGE),
      ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
      ...headers,
    },
  });
}

const WRONG_HOST: Refusal = {
  status: 421,
  code: "wrong_host",
  message: "This node does not answer to that host name.",
  hint: "Its owner can add the name to allowedHosts in the configuration.",
};
const CROSS_SITE: Refusal = {
  status: 403,
  code: "cross_site",
  message: "This request came from another site.",
};
const NO_ACCOUNT: Refusal = {
  status: 403,
  code: "setup_needed",
  message: "This node has no account yet, and nobody is let in without one.",
  hint: "Make one on its machine, while it is stopped: everseed hub init --data FOLDER --admin NAME --password-file FILE",
};
const SIGN_IN: Refusal = {
  status: 401,
  code: "not_signed_in",
  message: "Send the name and password of an administrator, or an API token as the password.",
};
const NOT_ALLOWED: Refusal = {
  status: 403,
  code: "not_allowed",
  message: "This account or token may not control the transfers: an administrator's may.",
};
const REPEAT_ID: Refusal = {
  status: 409,
  code: "conflict",
  message: "Send the request again, with the header X-Transmission-Session-Id of this answer.",
};
const POST_ONLY: Refusal = {
  status: 405,
  code: "bad_request",
  message: "This takes POST, with a request of Transmission's RPC in JSON.",
};
