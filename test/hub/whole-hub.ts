import type { TestContext } from "node:test";
import { loadConfig } from "../../src/config/load-config.ts";
import { initHub } from "../../src/daemon/init-hub.ts";
import { type RunningHub, runHub } from "../../src/daemon/run-hub.ts";
import { type Log, SILENT_LOG } from "../../src/ports/log.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** Of the administrator. */
export const PASSWORD = "a harbour full of fog";

/** A data folder that is removed at the end of the test. */
export function folder(t: TestContext): string {
  return temporaryFolder(t, "everseed-hub-");
}

/** A whole hub on real sockets and a real disk, in this process; stopped at the end of the test. */
export async function start(
  t: TestContext,
  dataDir: string,
  more: Record<string, unknown> = {},
  log: Log = SILENT_LOG,
): Promise<RunningHub> {
  const ports = { port: 0, engine: { port: 0 }, tracker: { udpPort: 0 } };
  const config = loadConfig({ env: {}, overrides: { dataDir, ...ports, ...more } });
  const hub = await runHub(config, log);
  t.after(() => hub.stop());
  return hub;
}

/** A data folder with an administrator, and a token of hers. */
export async function initialised(t: TestContext): Promise<{ dataDir: string; token: string }> {
  const dataDir = folder(t);
  const made = await initHub({ dataDir, adminName: "ann", password: PASSWORD, wantsToken: true });
  return { dataDir, token: made.token! };
}
