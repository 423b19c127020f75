import type { Command } from "commander";
import { addCommand, runCommand } from "../command-frame.ts";
import type { OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { readSecret } from "../read-secret.ts";

interface RecoverFlags extends OutputOptions {
  readonly data: string;
}

interface PasswordFlags extends RecoverFlags {
  readonly passwordFile: string;
}

/** Ways to recover from a forgotten password. They work while the hub runs. */
export function addHubRecoverCommands(hub: Command): void {
  addCommand(hub, {
    usage: "setup-link",
    summary: "Make a one-time link: for a forgotten password, or to set up.",
    examples: ["everseed hub setup-link --data data"],
  })
    .requiredOption("--data <dir>", "the hub's data folder")
    .action((flags: RecoverFlags) => setupLink(flags));
  addCommand(hub, {
    usage: "password",
    summary: "Give an account a new password, and end its sessions.",
    examples: ["everseed hub password ann --data data --password-file pw"],
  })
    .argument("<name>", "the name used to sign in")
    .requiredOption("--data <dir>", "the hub's data folder")
    .requiredOption("--password-file <file>", "file with the password, in one line")
    .action((name: string, flags: PasswordFlags) => password(name, flags));
}

function setupLink(flags: RecoverFlags): Promise<void> {
  return runCommand(flags, async ({ output }) => {
    const { makeSetupLink } = await import("../../daemon/recover-hub.ts");
    const { url, runs } = await makeSetupLink(flags.data);
    output.record({ url, runs });
    output.line(`Open ${output.style("bold", escapeOutside(url))}`);
    output.say("It works once, within 30 minutes. Older links no longer work.");
    if (!runs) output.say("The hub is not running: start it first, on the same port.");
  });
}

function password(name: string, flags: PasswordFlags): Promise<void> {
  return runCommand(flags, async (run) => {
    const { output } = run;
    const { resetPassword } = await import("../../daemon/recover-hub.ts");
    const secret = await readSecret(run, flags.passwordFile);
    await resetPassword(flags.data, name, secret);
    output.record({ name });
    output.line(`${escapeOutside(name)} has the new password. All sessions of that name ended.`);
    output.say("API tokens stay: the account page revokes them.");
  });
}
