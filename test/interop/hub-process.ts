import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { EVERSEED, Running } from "./process.ts";

/** One of our hubs with its data in a folder. */
export interface HubProcess {
  readonly running: Running;
  readonly url: string;
  readonly port: number;
  readonly udpPort: number;
}

/** @param env - It uses free ports unless this says otherwise. */
export async function startHub(
  t: TestContext,
  folder: string,
  env: NodeJS.ProcessEnv = {},
): Promise<HubProcess> {
  const running = new Running(
    t,
    [EVERSEED, "hub", "start", "--data", path.join(folder, "data"), "--json"],
    {
      EVERSEED_PORT: "0",
      EVERSEED_ENGINE_PORT: "0",
      EVERSEED_TRACKER_UDP_PORT: "0",
      ...env,
    },
  );
  const ready = await running.event("ready");
  return {
    running,
    url: String(ready.url),
    port: Number(ready.port),
    udpPort: Number(ready.udpPort),
  };
}

/** Creates an administrator, and a token beside the data. */
export function initialise(folder: string): void {
  const password = path.join(folder, "password");
  fs.writeFileSync(password, "a harbour full of fog\n", { mode: 0o600 });
  const where = ["--data", path.join(folder, "data"), "--token-file", path.join(folder, "token")];
  execFileSync(EVERSEED, ["hub", "init", ...where, "--admin", "ann", "--password-file", password], {
    stdio: "pipe",
  });
}

/** Publishes a file or folder with the token that `initialise` made. @returns The hub's answer. */
export function publish(
  folder: string,
  source: string,
  hub: HubProcess,
  options: readonly string[] = [],
): Record<string, unknown> {
  const token = path.join(folder, "token");
  const args = ["publish", source, "--to", hub.url, "--token-file", token, "--json", ...options];
  const output = execFileSync(EVERSEED, args, { encoding: "utf8", stdio: "pipe" });
  return JSON.parse(output) as Record<string, unknown>;
}

/** Fetches the .torrent of a publication, as users do. */
export async function fetchTorrent(
  published: Record<string, unknown>,
  torrent: string,
): Promise<void> {
  const reply = await fetch(String(published["torrentUrl"]));
  if (!reply.ok) throw new Error(`the .torrent: ${reply.status}`);
  fs.writeFileSync(torrent, Buffer.from(await reply.arrayBuffer()));
}
