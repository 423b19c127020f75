import { styleText } from "node:util";
import { escapeForgotten } from "../base/steering-text.ts";
import { longJson } from "./long-json.ts";
import { ProgressLine, type ProgressStyle } from "./progress-line.ts";

/** The part of a stream that the output needs. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** The options every command has. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: string;
  readonly progress?: string;
}

type Style = Parameters<typeof styleText>[0];

const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

/**
 * The output of a command. Results go to stdout; progress, messages and warnings to stderr. With `--json` the result
 * is one object, or one per line for streams, and messages are left out.
 */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly progress: ProgressLine;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #canRedraw: boolean;
  /** Lines that `redraw` has left on the terminal; `undefined` before the first. */
  #drawn: number | undefined;
  readonly #colorOut: boolean;
  readonly #colorErr: boolean;

  constructor(
    options: OutputOptions,
    world: {
      readonly stdout: Sink;
      readonly stderr: Sink;
      readonly env: Readonly<Record<string, string | undefined>>;
    },
  ) {
    this.json = options.json ?? false;
    this.quiet = options.quiet ?? false;
    this.verbose = options.verbose ?? false;
    this.#stdout = world.stdout;
    this.#stderr = world.stderr;
    const dumb = world.env["TERM"] === "dumb";
    this.#canRedraw = world.stdout.isTTY === true && !dumb;
    this.#colorOut = wantsColor(options.color, world.env, world.stdout.isTTY === true && !dumb);
    this.#colorErr = wantsColor(options.color, world.env, world.stderr.isTTY === true && !dumb);
    this.progress = new ProgressLine({
      style: this.#progressStyle(options.progress, world.stderr.isTTY === true && !dumb),
      columns: () => columnsOf(world.stderr),
      write: (text) => world.stderr.write(text),
    });
  }

  /** Columns a table on stdout may take. */
  get columns(): number {
    return columnsOf(this.#stdout);
  }

  /** A line of the result, for people. Nothing with `--json`. */
  line(text: string): void {
    if (this.json) return;
    this.progress.clear();
    this.#stdout.write(`${escapeForgotten(text)}\n`);
  }

  /**
   * Lines of a result that changes, for people: on a terminal they take the place of the last ones, as many as fit; elsewhere
   * they follow them, after an empty line. Nothing with `--json`.
   */
  redraw(lines: readonly string[]): void {
    if (this.json) return;
    if (!this.#canRedraw) {
      if (this.#drawn !== undefined) this.line("");
      for (const line of lines) this.line(line);
      this.#drawn = lines.length;
      return;
    }
    const room = Math.max(1, (this.#stdout.rows || ROWS_DEFAULT) - 2);
    const shown = lines.length <= room ? lines : [...lines.slice(0, room), restWords(lines, room)];
    this.progress.clear();
    if (this.#drawn) this.#stdout.write(`\u001b[${this.#drawn}A\r\u001b[J`);
    for (const line of shown) this.line(line);
    this.#drawn = shown.length;
  }

  /** The result, or one event of a stream, for programs. Nothing without `--json`. */
  record(value: object): void {
    if (!this.json) return;
    for (const part of longJson(value)) this.#stdout.write(part);
    this.#stdout.write("\n");
  }

  /** A message on stderr. */
  say(text: string): void {
    if (!this.json && !this.quiet) this.#tell(text);
  }

  /** A message for people who want to know more. */
  detail(text: string): void {
    if (this.verbose) this.#tell(text);
  }

  /** A log line for a person who watches: printed even with `--quiet`, because log lines have a level of their own. */
  log(text: string): void {
    this.#tell(text);
  }

  /** Something odd that does not stop the work; printed even with `--quiet`. */
  warn(text: string): void {
    this.#tell(`${this.styleErr("yellow", "warning:")} ${text}`);
  }

  /** Colours for stdout, where they are wanted. */
  style(style: Style, text: string): string {
    return this.#colorOut ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Colours for stderr, where they are wanted. */
  styleErr(style: Style, text: string): string {
    return this.#colorErr ? styleText(style, text, { validateStream: false }) : text;
  }

  #tell(text: string): void {
    this.progress.clear();
    this.#stderr.write(`${escapeForgotten(text)}\n`);
  }

  #progressStyle(asked: string | undefined, terminal: boolean): ProgressStyle {
    if (this.quiet || this.json || asked === "none") return "none";
    return asked === "plain" || !terminal ? "plain" : "bar";
  }
}

function restWords(lines: readonly string[], shown: number): string {
  return `... and ${lines.length - shown} more; everseed ls lists them.`;
}

function columnsOf(sink: Sink): number {
  // A terminal that does not know its width says 0 (CLI-5).
  return sink.columns !== undefined && sink.columns > 0 ? sink.columns : COLUMNS_DEFAULT;
}

/** The command line takes precedence over NO_COLOR, and that over the terminal (no-color.org). */
function wantsColor(
  asked: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  terminal: boolean,
): boolean {
  if (asked === "always") return true;
  if (asked === "never" || env["NO_COLOR"]) return false;
  return terminal;
}
