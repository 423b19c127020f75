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

/** The ways back in when a password is forgotten. They work beside a hub that runs. */
export function addHubRecoverCommands(hub: Command): void {
  addCommand(hub, {
    usage: "setup-link",
    summary: "Make a link that works once: for a forgotten password, or to set up.",
    examples: ["everseed hub setup-link --data data"],
  })
    .requiredOption("--data <dir>", "the hub's data folder")
    .action((flags: RecoverFlags) => setupLink(flags));
  addCommand(hub, {
    usage: "password",
    summary: "Give an account a new password; whoever is signed in with it is signed out.",
    examples: ["everseed hub password ann --data data --password-file pw"],
  })
    .argument("<name>", "the name one signs in with")
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
    output.say("It works once, within 30 minutes. An older link is worth nothing any more.");
    if (!runs) output.say("The hub does not run: start it first, on the same port.");
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
