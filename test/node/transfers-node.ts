import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { TestContext } from "node:test";
import { transferPath } from "../../src/api/paths.ts";
import { type TransferView, transferSchema } from "../../src/api/transfers.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { runNode } from "../../src/daemon/run-node.ts";
import { SocketCalls } from "../../src/platform/socket-calls.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";

// A whole node in this process, on real sockets and a real disk.

const LIMIT_MS = 20_000;

export interface RunningNode {
  readonly port: number;
  /** The path of its control socket. */
  readonly socket: string;
  send(method: "GET" | "POST" | "PATCH", path: string, body?: unknown): Promise<TransferView>;
  /** For a path whose answer says nothing. */
  command(method: "POST" | "DELETE", path: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param more - Settings of the transfers, in addition to their folder. */
export async function startNode(
  t: TestContext,
  folder: string,
  more: { readonly hardLinks?: boolean } = {},
): Promise<RunningNode> {
  const overrides = {
    engine: { port: 0, host: "127.0.0.1" },
    discovery: { dht: false, lsd: false },
    dataDir: join(folder, "state"),
    transfers: { folder: join(folder, "downloads"), ...more },
  };
  const config = loadConfig({ preset: "node", env: {}, overrides });
  const socket = join(folder, "run", "control.sock");
  const asked = {
    config,
    preset: "node",
    socket,
    origins: new Map(),
    configFile: undefined,
  } as const;
  const node = await runNode(asked, SILENT_LOG);
  t.after(() => node.stop());
  const calls = new SocketCalls(socket);
  const ask = async (
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<string> => {
    const isFile = body instanceof Uint8Array;
    const type = isFile ? "application/x-bittorrent" : "application/json";
    const answer = await calls.send({
      method,
      url: `http://localhost${path}`,
      headers: body === undefined ? {} : { "content-type": type },
      body: isFile || body === undefined ? body : JSON.stringify(body),
      timeoutMs: LIMIT_MS,
      bytesMax: 1_000_000,
      signal: new AbortController().signal,
    });
    const text = Buffer.from(answer.body ?? []).toString();
    assert.ok(answer.status < 300, `${answer.status} ${text}`);
    return text;
  };
  return {
    port: node.status().peerPort,
    socket,
    stop: () => node.stop(),
    command: async (method, path) => void (await ask(method, path)),
    send: async (method, path, body) =>
      transferSchema.parse(JSON.parse(await ask(method, path, body))),
  };
}

export async function untilState(
  node: RunningNode,
  id: string,
  state: TransferView["state"],
): Promise<TransferView> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  for (;;) {
    const transfer = await node.send("GET", transferPath(id));
    if (transfer.state === state) return transfer;
    assert.ok(!signal.aborted, `it is ${transfer.state}: ${transfer.cause}`);
    await setTimeout(50);
  }
}
