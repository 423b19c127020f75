import type { ConfigTarget } from "../../daemon/config-target.ts";
import type { CommandRun } from "../command-frame.ts";
import { escapeOutside } from "../outside-text.ts";

/** Opens a copy in the person's editor. The file changes only when the copy can be used; what was written is never lost. */
export async function editConfig(run: CommandRun, target: ConfigTarget): Promise<void> {
  const daemon = await import("../../daemon/config-target.ts");
  const { DraftFile, openEditor } = await import("../../daemon/edit-file.ts");
  const { ConfigError } = await import("../../config/config-error.ts");
  const before = await daemon.readConfigText(target);
  const draft = await DraftFile.create(target.file, before ?? daemon.newConfigText(target));
  for (;;) {
    await openEditor(draft.path, run.signal);
    const text = draft.read();
    if (text === draft.begunWith) {
      draft.remove();
      run.output.record({ path: target.file, changed: false });
      run.output.line("Nothing was changed.");
      return;
    }
    try {
      daemon.checkConfigText(target, text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (await wantsAgain(run, error.detail)) continue;
      throw new ConfigError(error.code, error.detail, `${draft.keptWords} ${error.hint}`);
    }
    if ((await daemon.readConfigText(target)) !== before) throw draft.overtaken();
    await daemon.writeConfigText(target, text);
    draft.remove();
    await tellEffect(run, target, undefined);
    return;
  }
}

/** Asks at a terminal only (UX: never a question without one). */
async function wantsAgain({ output, signal }: CommandRun, why: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY || output.json) return false;
  const { createInterface } = await import("node:readline/promises");
  output.warn(escapeOutside(why));
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question("Edit it again? [Y/n] ", { signal });
    return !/^n/i.test(answer.trim());
  } finally {
    asking.close();
  }
}

/** Has a running program take the file over, and says from when on it holds. */
export async function tellEffect(
  { output, signal }: CommandRun,
  target: ConfigTarget,
  changed: Readonly<Record<string, unknown>> | undefined,
): Promise<void> {
  const { NODE_RELOAD_PATH } = await import("../../api/paths.ts");
  const { settingsReloadSchema } = await import("../../api/node.ts");
  const { controlClient } = await import("../../daemon/background-node.ts");
  const { CommandError } = await import("../../commands/command-error.ts");
  const client = controlClient(target.socket, signal);
  const reload = await client
    .ask(NODE_RELOAD_PATH, settingsReloadSchema, { method: "POST" })
    .catch((error: unknown) => {
      if (error instanceof CommandError && error.code === "not-found") return undefined;
      throw error;
    });
  output.record({
    path: target.file,
    changed: changed ?? true,
    running: reload !== undefined,
    atOnce: reload?.atOnce ?? [],
    afterRestart: reload?.afterRestart ?? [],
  });
  if (!reload) {
    output.line("It holds from the next start on.");
    return;
  }
  const { atOnce, afterRestart } = reload;
  if (atOnce.length > 0) output.line(`It holds now: ${atOnce.join(", ")}.`);
  if (afterRestart.length > 0) output.line(`After restart: ${afterRestart.join(", ")}.`);
  if (atOnce.length + afterRestart.length === 0) output.line("It is as what runs already.");
}
