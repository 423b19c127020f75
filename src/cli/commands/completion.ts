import type { Command } from "commander";
import {
  addCommand,
  addGroup,
  type CommandRun,
  type GroupWords,
  runCommand,
} from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { type Shell, SHELLS } from "../completion-scripts.ts";
import type { OutputOptions } from "../output.ts";

const WORDS: GroupWords = {
  name: "completion",
  summary: summaryOf("completion"),
  examples: [
    "source <(everseed completion bash)    in ~/.bashrc",
    "everseed completion fish --help       where other shells want it",
  ],
};

/** A person has pressed a key and waits: a node that is slower has no words to give. */
const NODE_MS_MAX = 2_000;

const INSTALLED: Readonly<Record<Shell, string>> = {
  bash: "source <(everseed completion bash)",
  zsh: "everseed completion zsh >~/.zfunc/_everseed",
  fish: "everseed completion fish >~/.config/fish/completions/everseed.fish",
};

export function addCompletionCommand(program: Command): void {
  addGroup(program, WORDS, (completion) => {
    for (const shell of SHELLS) {
      addCommand(completion, {
        usage: shell,
        summary: `Print the script for ${shell}.`,
        examples: [INSTALLED[shell]],
      }).action((flags: OutputOptions) => runCommand(flags, (run) => printScript(run, shell)));
    }
    completion
      .command("words", { hidden: true })
      .description("What may stand at the cursor; the scripts ask it.")
      .argument("[word...]", "those of the command line, behind the program's name")
      .action((words: readonly string[]) =>
        runCommand({ quiet: true }, (run) => printWords(run, program, words)),
      );
  });
}

async function printScript({ output }: CommandRun, shell: Shell): Promise<void> {
  const { completionScript } = await import("../completion-scripts.ts");
  const text = completionScript(shell);
  output.record({ shell, text });
  output.line(text.trimEnd());
}

async function printWords(
  { output }: CommandRun,
  program: Command,
  words: readonly string[],
): Promise<void> {
  const { complete } = await import("../completion-words.ts");
  const { knownWords } = await import("../known-words.ts");
  const { escapeOutside } = await import("../outside-text.ts");
  const signal = AbortSignal.timeout(NODE_MS_MAX);
  const known = knownWords(signal, words.includes("--system"));
  const { candidates, kind } = await complete(program, words, known);
  output.line(kind);
  for (const { word, says } of candidates) {
    // A word that could steer the terminal is not put on its command line.
    if (escapeOutside(word) === word) output.line(`${word}\t${escapeOutside(says)}`);
  }
}
