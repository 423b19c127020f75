import { join } from "node:path";
import { encodeUtf8 } from "../base/bytes.ts";
import { CommandError } from "../commands/command-error.ts";
import { readSecretLine } from "../commands/secret-file.ts";
import { NodePrograms } from "../platform/node-programs.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import { FinishProgram } from "../transfers/finish-program.ts";
import type { OnTransferEvent } from "../transfers/transfer-events.ts";
import { Webhook } from "../transfers/webhook.ts";
import type { NetworkWays } from "./network.ts";
import type { Ends, Ground } from "./node-ground.ts";

const POST_MS_MAX = 20_000;
/** Of the server's answer, which nobody reads. */
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Opens what the configuration wants to be told of transfers: a program when one is finished, a webhook.
 *
 * @throws {CommandError} (rejects) When the secret of the webhook cannot be read, or others can read it.
 */
export async function openTransferTells(
  ground: Ground,
  network: NetworkWays,
  ends: Ends,
): Promise<OnTransferEvent> {
  const { config, log } = ground;
  const listeners: OnTransferEvent[] = [];
  const argv = config.transfers.whenFinished;
  if (argv.length > 0) {
    const program = new FinishProgram({ argv, programs: new NodePrograms(), log });
    ends.push(() => program.close());
    listeners.push((event) => program.handle(event));
  }
  const { url } = config.webhook;
  if (url !== undefined) {
    const webhook = await openWebhook(ground, network, url);
    ends.push(() => webhook.close());
    listeners.push((event) => webhook.handle(event));
  }
  return (event) => {
    for (const listener of listeners) listener(event);
  };
}

async function openWebhook(ground: Ground, network: NetworkWays, url: string): Promise<Webhook> {
  const { config, state, dataDir, clock, random, log } = ground;
  const { secretFile, events } = config.webhook;
  const secret = secretFile === undefined ? undefined : encodeUtf8(await secretIn(secretFile));
  // The owner names the server, so it may be on this machine; IP filters and a chosen proxy hold as for all others.
  const http = network.makeFetch({ judge: ({ addresses }) => addresses, lenient: false });
  const webhook = new Webhook({
    secret,
    events: new Set(events),
    post: async (body, headers, signal) => {
      const limits = { timeoutMs: POST_MS_MAX, bytesMax: ANSWER_BYTES_MAX, signal };
      const { status } = await http.get(url, { ...limits, post: { body, headers } });
      return status;
    },
    files: state.files,
    path: join(dataDir, "transfers", "webhook.json"),
    clock,
    random,
    log,
  });
  await webhook.begin();
  return webhook;
}

async function secretIn(path: string): Promise<string> {
  const { secret, openToOthers } = await readSecretLine(new NodeUserFiles(), path);
  if (!openToOthers) return secret;
  throw new CommandError("bad-plan", `Others on this machine may read the secret in ${path}.`, {
    subject: path,
    hint: `chmod 600 ${path}`,
  });
}
