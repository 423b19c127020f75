import type { Command } from "commander";
import { CONFIG_KEYS } from "../../src/config/config-keys.ts";

/** A page of the manual. */
export interface ManPage {
  /** `man1/everseed-get.1`. */
  readonly path: string;
  readonly text: string;
}

interface Edition {
  readonly version: string;
  /** `2026-11-30`. */
  readonly date: string;
}

const EXIT_STATUS: readonly (readonly [code: string, says: string])[] = [
  ["0", "Done."],
  ["1", "Failed."],
  ["2", "Wrong use, or wrong settings."],
  ["3", "Not found."],
  ["4", "There already, or taken."],
  ["5", "Not allowed."],
  ["6", "The network or a peer: worth trying again."],
  ["7", "Wrong data: a broken torrent, bytes that do not match."],
  ["8", "The disk is full, or cannot be written."],
  ["130, 143", "Interrupted, terminated."],
];

const FILES: readonly (readonly [path: string, says: string])[] = [
  ["~/.config/everseed/everseed.yaml", "Settings of your node: everseed.yaml(5)."],
  ["~/.local/state/everseed", "Its state: database, keys, log, downloads."],
  ["/etc/everseed/everseed.yaml", "Settings of the node of the system (--system)."],
  ["/var/lib/everseed", "Its state."],
];

const ENVIRONMENT: readonly (readonly [name: string, says: string])[] = [
  [
    "EVERSEED_HOME",
    "A folder for the settings, state and socket of a node, instead of those above.",
  ],
  ["EVERSEED_DATA_DIR", "The data folder of a hub."],
  ["EVERSEED_DEBUG", "1 shows where an unexpected error comes from."],
  ["NO_COLOR", "No colours."],
];

/** One page for each command, of the words of its `--help`, and one for the configuration file. */
export function manPages(program: Command, edition: Edition): ManPage[] {
  return [...commandPages(program, edition), configPage(edition)];
}

function* commandPages(command: Command, edition: Edition): Generator<ManPage> {
  yield commandPage(command, edition);
  for (const child of command.createHelp().visibleCommands(command)) {
    yield* commandPages(child, edition);
  }
  // Its other name is a program of its own.
  if (!command.parent) {
    for (const child of command.commands) if (isProgram(child)) yield commandPage(child, edition);
  }
}

function commandPage(command: Command, edition: Edition): ManPage {
  const name = nameOf(command);
  const page = name.replaceAll(" ", "-");
  const help = command.createHelp();
  const children = help.visibleCommands(command);
  const examples = examplesOf(command);
  const rows = (terms: readonly (readonly [string, string])[]): string =>
    terms.map(([term, says]) => `.TP\n.B ${roff(term)}\n${sentence(says)}\n`).join("");
  const sections: (readonly [title: string, body: string])[] = [
    ["NAME", `${roff(page)} \\- ${roff(command.description().replace(/\.$/, ""))}\n`],
    ["SYNOPSIS", `.B ${roff(name)}\n${roff(help.commandUsage(command).slice(name.length + 1))}\n`],
    ["EXAMPLES", examples.length === 0 ? "" : `.nf\n${examples.map(roff).join("\n")}\n.fi\n`],
    [
      "COMMANDS",
      rows(
        children.map((child) => [help.subcommandTerm(child), help.subcommandDescription(child)]),
      ),
    ],
    [
      "ARGUMENTS",
      rows(
        help
          .visibleArguments(command)
          .map((argument) => [help.argumentTerm(argument), help.argumentDescription(argument)]),
      ),
    ],
    [
      "OPTIONS",
      rows(
        help
          .visibleOptions(command)
          .map((option) => [help.optionTerm(option), help.optionDescription(option)]),
      ),
    ],
  ];
  if (!command.parent) {
    sections.push(
      ["EXIT STATUS", rows(EXIT_STATUS)],
      ["FILES", rows(FILES)],
      ["ENVIRONMENT", rows(ENVIRONMENT)],
    );
  }
  const others = [command.parent, ...children].filter((other) => other !== null);
  const also = others.map((other) => `.BR ${roff(nameOf(other).replaceAll(" ", "-"))} (1)`);
  if (!command.parent) also.push(".BR everseed.yaml (5)");
  sections.push(["SEE ALSO", `${also.join(",\n")}\n`]);
  return { path: `man1/${page}.1`, text: pageText(`${page}" "1`, sections, edition) };
}

function configPage(edition: Edition): ManPage {
  const keys = CONFIG_KEYS.map(({ path, variable, says, takes, defaultValue }) => {
    const value =
      defaultValue === undefined || defaultValue === ""
        ? ""
        : `\nDefault of a hub: ${roff(JSON.stringify(defaultValue))}.`;
    return `.TP\n.B ${roff(path.join("."))}\n${sentence(says)}\nTakes ${roff(takes)}.${value}\n.br\nVariable: ${roff(variable)}\n`;
  });
  const text = pageText(
    `everseed.yaml" "5`,
    [
      ["NAME", "everseed.yaml \\- settings of an Everseed node or hub\n"],
      [
        "DESCRIPTION",
        `A file in YAML: a key such as ${roff("engine.port")} stands as ${roff("port:")} below ${roff("engine:")}. Each key is also an
environment variable, which wins over the file.
.B everseed config set
changes a value and keeps every other line,
.B everseed config check
finds mistakes.
`,
      ],
      ["KEYS", keys.join("")],
      ["SEE ALSO", ".BR everseed\\-config (1)\n"],
    ],
    edition,
  );
  return { path: "man5/everseed.yaml.5", text };
}

function pageText(
  title: string,
  sections: readonly (readonly [title: string, body: string])[],
  { version, date }: Edition,
): string {
  const head = `.TH "${title}" "${date}" "everseed ${version}" "Everseed"\n`;
  const filled = sections.filter(([, body]) => body !== "");
  return head + filled.map(([name, body]) => `.SH ${name}\n${body}`).join("");
}

function isProgram(command: Command): boolean {
  return command.name() === "vtorrent";
}

function nameOf(command: Command): string {
  return command.parent && !isProgram(command)
    ? `${nameOf(command.parent)} ${command.name()}`
    : command.name();
}

/** The lines that stand above a command's help. */
function examplesOf(command: Command): readonly string[] {
  let help = "";
  command.configureOutput({ writeOut: (words) => (help += words) }).outputHelp();
  return /^Examples?:\n((?: .*\n)+)/m.exec(help)?.[1]?.trimEnd().split("\n") ?? [];
}

function sentence(words: string): string {
  const text = words === "" ? "" : words.charAt(0).toUpperCase() + words.slice(1);
  return roff(/[.!?)]$/.test(text) || text === "" ? text : `${text}.`);
}

/** Text as roff reads it: no character of it is a request. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^(\s*)([.'])/gm, "$1\\&$2");
}
