import { resolve } from "node:path";
import type { Command } from "commander";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import type { OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { readSecret } from "../read-secret.ts";

interface InitFlags extends OutputOptions {
  readonly data: string;
  readonly admin: string;
  readonly passwordFile: string;
  readonly tokenFile?: string;
}

export function addHubInitCommand(hub: Command): void {
  addCommand(hub, {
    usage: "init",
    summary: "Make the administrator of a hub, without a question.",
    examples: ["everseed hub init --data data --admin ann --password-file pw"],
  })
    .requiredOption("--data <dir>", "the hub's data folder")
    .requiredOption("--admin <name>", "name of the administrator")
    .requiredOption("--password-file <file>", "file with the password, in one line")
    .option("--token-file <file>", "write an API token there, readable for you only")
    .action((flags: InitFlags) => runCommand(flags, (run) => init(run, flags)));
}

async function init(run: CommandRun, flags: InitFlags): Promise<void> {
  const { initHub } = await import("../../daemon/init-hub.ts");
  const { filePorts } = await import("../../daemon/file-ports.ts");
  const { SecretFile } = await import("../../commands/secret-file.ts");
  const { output } = run;
  const { admin, tokenFile } = flags;
  const password = await readSecret(run, flags.passwordFile);
  await using place =
    tokenFile === undefined ? undefined : await SecretFile.create(filePorts().files, tokenFile);
  const { token } = await initHub({
    dataDir: flags.data,
    adminName: admin,
    password,
    wantsToken: place !== undefined,
  });
  if (token !== undefined) await place?.fill(token);
  const data = resolve(flags.data);
  output.record({ admin, data, tokenFile: tokenFile ?? null });
  output.line(`${escapeOutside(admin)} is the administrator of the hub in ${escapeOutside(data)}.`);
  if (tokenFile !== undefined) output.line(`The API token is in ${escapeOutside(tokenFile)}.`);
}
