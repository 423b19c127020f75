import { RpcArguments } from "./rpc-arguments.ts";
import { RpcError } from "./rpc-error.ts";

/** A request. @property tag - Comes back with the answer, so that a program knows its own. */
export interface RpcRequest {
  readonly method: string;
  readonly args: RpcArguments;
  readonly tag: number | string | undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** @throws {RpcError} When the text is no JSON object. */
export function readObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RpcError("bad-request", "The body is no JSON.");
  }
  if (!isObject(value)) throw new RpcError("bad-request", "The body is no JSON object.");
  return value;
}

/** Also of a request that is refused. */
export function tagOf({ tag }: JsonObject): RpcRequest["tag"] {
  return typeof tag === "number" || typeof tag === "string" ? tag : undefined;
}

/** @throws {RpcError} */
export function readRequest(object: JsonObject): RpcRequest {
  const { method, arguments: given = {} } = object;
  if (typeof method !== "string") throw new RpcError("bad-request", "The request has no method.");
  if (!isObject(given)) throw new RpcError("bad-request", '"arguments" takes an object.');
  return { method, args: new RpcArguments(given), tag: tagOf(object) };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
