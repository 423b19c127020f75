import type { Command } from "commander";
import { formatBytes } from "../../base/format-bytes.ts";
import type { CheckedFile } from "../../commands/check-torrent.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { EXIT } from "../exit-code.ts";
import { formatCount, formatRate } from "../figures.ts";
import type { OutputOptions } from "../output.ts";
import { cutMiddle, escapeOutside } from "../outside-text.ts";
import { WorkProgress } from "../work-progress.ts";

/** Files described in a whole sentence, below the list of all files. */
const SENTENCES_MAX = 3;

export function addCheckCommand(program: Command): void {
  addCommand(program, {
    usage: "check",
    summary: summaryOf("check"),
    examples: ["everseed check talks.torrent ~/Downloads"],
  })
    .argument("<torrent>", "a .torrent file, or the URL of one")
    .argument("<dir>", "the folder the torrent's files lie in")
    .action((source: string, folder: string, flags: OutputOptions) => check(source, folder, flags));
}

function check(source: string, folder: string, flags: OutputOptions): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { checkTorrent } = await import("../../commands/check-torrent.ts");
    const { diskPorts } = await import("../../daemon/disk-ports.ts");
    const { filePorts } = await import("../../daemon/file-ports.ts");
    const progress = new WorkProgress(output.progress, "Checking");
    const checked = await checkTorrent(
      { ...filePorts(), ...diskPorts() },
      {
        source,
        folder,
        signal,
        onEvent: (event) => {
          if (event.kind === "checked") return progress.update(event.bytesDone);
          const { name, files, bytes, root } = event;
          const what = `${formatCount(files, "file")}, ${formatBytes(bytes)}`;
          output.say(`${escapeOutside(name)}: ${what}  in ${escapeOutside(root)}`);
          progress.start(bytes);
        },
      },
    );
    const speed = progress.finish();
    const { others, ...facts } = checked;
    output.record(facts);
    for (const file of checked.files) {
      if (stateOf(file) === "good" && !output.verbose) continue;
      const path = cutMiddle(escapeOutside(file.path), output.columns - 34);
      const pieces = formatCount(file.good + file.bad, "piece");
      output.line(`${stateOf(file).padEnd(12)} ${pieces.padEnd(18)} ${path}`);
    }
    const { pieces, good, bad } = checked;
    if (checked.ok) {
      output.line(`All good: ${formatCount(pieces, "piece")} (${formatRate(speed)}).`);
      return EXIT.done;
    }
    output.line(`${formatCount(bad, "piece")} of ${pieces} bad, ${good} good.`);
    if (checked.files.some((file) => stateOf(file) === IN_DOUBT)) {
      output.line("In doubt: files that share a bad piece; any of them may be the wrong one.");
    }
    for (const sentence of others.slice(0, SENTENCES_MAX)) output.line(escapeOutside(sentence));
    if (others.length > SENTENCES_MAX)
      output.line(`${others.length - SENTENCES_MAX} more are not either.`);
    output.say(
      "  Try: everseed get into the same folder fetches what is missing; with --adopt it overwrites what differs.",
    );
    return EXIT.wrongData;
  });
}

/** All its bad pieces are shared with other files, any of which may be the wrong one. */
const IN_DOUBT = "in doubt";

function stateOf({ missing, unfinished, bad, badAlone, size, length }: CheckedFile): string {
  if (missing) return "missing";
  if (unfinished) return "unfinished";
  if (size === null) return "no file";
  if (size !== length) return size > length ? "longer" : "shorter";
  if (bad > 0 && badAlone === 0) return IN_DOUBT;
  return bad === 0 ? "good" : `${bad} bad`;
}
