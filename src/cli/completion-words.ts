import type { Argument, Command, Option } from "commander";

/** One word that may stand at the cursor, and what it means. */
export interface Candidate {
  readonly word: string;
  /** Empty when the word says it all. */
  readonly says: string;
}

/** What may stand at the cursor. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  /**
   * `files`, `folders`: those may stand there too, and the shell knows them itself. `described`: the words say little without
   * what they mean.
   */
  readonly kind: "plain" | "described" | "files" | "folders";
}

/** What only the running system knows. Each may answer with nothing. */
export interface KnownWords {
  /** Short ids of the node's transfers, with their names. */
  transfers(): Promise<readonly Candidate[]>;
  labels(): Promise<readonly Candidate[]>;
  /** The keys of the configuration file. */
  keys(): Promise<readonly Candidate[]>;
  /** What a key takes, as far as it can be listed. */
  valuesOf(key: string): Promise<readonly Candidate[]>;
  interfaces(): Promise<readonly Candidate[]>;
}

const NOTHING: Completion = { candidates: [], kind: "plain" };

/**
 * Says what may stand at the cursor of a command line. Commands, options and their placeholders are those of `--help`.
 *
 * @param words - The words behind the program's name; the last one, perhaps empty, is the one to complete.
 */
export async function complete(
  program: Command,
  words: readonly string[],
  known: KnownWords,
): Promise<Completion> {
  const at = placeOf(program, words.slice(0, -1));
  const current = words.at(-1) ?? "";
  const { candidates, kind } = await offersAt(at, current, known);
  const given = new Set(at.positional);
  return {
    candidates: candidates.filter(({ word }) => word.startsWith(current) && !given.has(word)),
    kind,
  };
}

/** Where the cursor is: the command, its arguments so far, and an option that waits for its value. */
interface Place {
  readonly command: Command;
  readonly positional: readonly string[];
  readonly waiting: Option | undefined;
  /** Behind `--` a word that begins with a dash is no option. */
  readonly isPastOptions: boolean;
}

function placeOf(program: Command, words: readonly string[]): Place {
  let command = program;
  let positional: string[] = [];
  let waiting: Option | undefined;
  let isPastOptions = false;
  for (const word of words) {
    if (waiting) {
      waiting = undefined;
    } else if (!isPastOptions && word === "--") {
      isPastOptions = true;
    } else if (!isPastOptions && word.startsWith("-")) {
      const option = command.options.find(({ long, short }) => word === long || word === short);
      if (option && takesValue(option)) waiting = option;
    } else {
      const child = positional.length === 0 ? childOf(command, word) : undefined;
      if (child) command = child;
      else positional = [...positional, word];
    }
  }
  return { command, positional, waiting, isPastOptions };
}

function childOf(command: Command, word: string): Command | undefined {
  return command.commands.find((child) => child.name() === word || child.aliases().includes(word));
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

async function offersAt(place: Place, current: string, known: KnownWords): Promise<Completion> {
  const { command, waiting, isPastOptions } = place;
  if (waiting) return valuesOf(waiting, known);
  if (!isPastOptions && current.startsWith("-")) {
    const [name = "", ...value] = current.split("=");
    if (value.length === 0) return { candidates: optionsOf(command), kind: "plain" };
    const option = command.options.find(({ long }) => long === name);
    if (!option || !takesValue(option)) return NOTHING;
    const { candidates } = await valuesOf(option, known);
    // A shell cannot complete the path of a file behind an equals sign: it takes the whole for one word.
    const whole = candidates.map(({ word, says }) => ({ word: `${name}=${word}`, says }));
    return { candidates: whole, kind: "plain" };
  }
  const children = place.positional.length === 0 ? commandsOf(command) : [];
  if (command.name() === "help" && command.parent?.parent === null) {
    return { candidates: helpWords(command.parent, place.positional), kind: "plain" };
  }
  const argument = argumentAt(command, place.positional.length);
  if (!argument) return { candidates: children, kind: "plain" };
  const offers = await wordsFor(argument.name(), place, known);
  return { ...offers, candidates: [...children, ...offers.candidates] };
}

function commandsOf(command: Command): readonly Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((child) => ({ word: child.name(), says: child.description() }));
}

/** The commands below those that were named: `help hub` goes on with `start`. */
function helpWords(program: Command, named: readonly string[]): readonly Candidate[] {
  let command: Command | undefined = program;
  for (const word of named) command = command && childOf(command, word);
  return command ? commandsOf(command) : [];
}

function optionsOf(command: Command): readonly Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, short, description }) => {
      const word = long ?? short;
      return word === undefined ? [] : [{ word, says: description }];
    });
}

/** The last argument may take any number of words. */
function argumentAt(command: Command, index: number): Argument | undefined {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return registeredArguments[index] ?? (last?.variadic ? last : undefined);
}

/** The values of an option: those that it lists itself, or what its placeholder means. */
async function valuesOf(option: Option, known: KnownWords): Promise<Completion> {
  if (option.argChoices) return listed(option.argChoices);
  const placeholder = /[<[](.+?)(?:\.\.\.)?[>\]]/.exec(option.flags)?.[1] ?? "";
  switch (placeholder) {
    case "on|off":
      return listed(["on", "off"]);
    case "label":
      return { candidates: await known.labels(), kind: "plain" };
    case "name|address":
      return { candidates: await known.interfaces(), kind: "plain" };
    case "dir":
      return { candidates: [], kind: "folders" };
    case "file":
      return { candidates: [], kind: "files" };
    default:
      return NOTHING;
  }
}

/** The words for an argument, by its name in the usage. */
async function wordsFor(
  argument: string,
  { command, positional }: Place,
  known: KnownWords,
): Promise<Completion> {
  switch (argument) {
    case "id":
      return { candidates: await known.transfers(), kind: "described" };
    case "torrent": {
      // `show` also takes a transfer of the node.
      const isShow = command.name() === "show";
      return { candidates: isShow ? await known.transfers() : [], kind: "files" };
    }
    case "source":
    case "path":
      return { candidates: [], kind: "files" };
    case "dir":
      return { candidates: [], kind: "folders" };
    case "key":
      return { candidates: await known.keys(), kind: "plain" };
    case "value":
      return { candidates: await known.valuesOf(positional[0] ?? ""), kind: "plain" };
    default:
      return NOTHING;
  }
}

function listed(words: readonly string[]): Completion {
  return { candidates: words.map((word) => ({ word, says: "" })), kind: "plain" };
}
