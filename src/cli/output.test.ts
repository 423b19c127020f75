import assert from "node:assert/strict";
import { test } from "node:test";
import { Output, type OutputOptions, type Sink } from "./output.ts";

class RecordingSink implements Sink {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows = 5;
  text = "";

  constructor(isTTY: boolean, columns = 80) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }
}

function open(options: OutputOptions, world: { tty?: boolean; env?: Record<string, string> } = {}) {
  const stdout = new RecordingSink(world.tty ?? false);
  const stderr = new RecordingSink(world.tty ?? false);
  return { output: new Output(options, { stdout, stderr, env: world.env ?? {} }), stdout, stderr };
}

test("results go to stdout, words to stderr", () => {
  const { output, stdout, stderr } = open({});
  output.line("result");
  output.say("word");
  output.detail("more");
  output.record({ a: 1 });
  assert.equal(stdout.text, "result\n");
  assert.equal(stderr.text, "word\n");
});

test("--json leaves objects on stdout and nothing on stderr but warnings", () => {
  const { output, stdout, stderr } = open({ json: true });
  output.line("result");
  output.say("word");
  output.record({ name: "a\u001b[2J\u202e\u009b" });
  output.warn("odd");
  assert.equal(stdout.text, '{"name":"a\\u001b[2J\\u202e\\u009b"}\n');
  assert.equal(stderr.text, "warning: odd\n");
});

test("CLI-1: outside text that nobody escaped is escaped on its way out; line breaks and our colours stay", () => {
  const { output, stdout, stderr } = open({ verbose: true, color: "always" });
  const forgotten = "a\u001b[2J\u001b]0;x\u0007\u009b\u202e\rb";
  const escaped = "a\\x1b[2J\\x1b]0;x\\x07\\x9b\\u202e\\x0db";
  output.line(`${output.style("bold", "one")} ${forgotten}\n\ttwo`);
  assert.equal(stdout.text, `\u001b[1mone\u001b[22m ${escaped}\n\ttwo\n`);
  for (const tell of ["say", "detail", "log", "warn"] as const) output[tell](forgotten);
  const warning = "\u001b[33mwarning:\u001b[39m";
  assert.equal(stderr.text, `${escaped}\n`.repeat(3) + `${warning} ${escaped}\n`);
});

test("--quiet silences words, --verbose adds some", () => {
  const quiet = open({ quiet: true });
  quiet.output.say("word");
  assert.equal(quiet.stderr.text, "");
  const verbose = open({ verbose: true });
  verbose.output.detail("more");
  assert.equal(verbose.stderr.text, "more\n");
});

const colours: readonly (readonly [
  name: string,
  options: OutputOptions,
  world: Parameters<typeof open>[1],
  coloured: boolean,
])[] = [
  ["a pipe", {}, {}, false],
  ["a terminal", {}, { tty: true }, true],
  ["a terminal with NO_COLOR", {}, { tty: true, env: { NO_COLOR: "1" } }, false],
  ["a terminal with an empty NO_COLOR", {}, { tty: true, env: { NO_COLOR: "" } }, true],
  ["TERM=dumb", {}, { tty: true, env: { TERM: "dumb" } }, false],
  ["--color always in a pipe", { color: "always" }, { env: { NO_COLOR: "1" } }, true],
  ["--color never on a terminal", { color: "never" }, { tty: true }, false],
];

for (const [name, options, world, coloured] of colours) {
  test(`CLI-5: ${name} has ${coloured ? "" : "no "}colours`, () => {
    const { output } = open(options, world);
    assert.equal(output.style("bold", "x") !== "x", coloured);
    assert.equal(output.styleErr("bold", "x") !== "x", coloured);
  });
}

test("CLI-5: a terminal of width 0 counts as 80 columns", () => {
  const stdout = new RecordingSink(true, 0);
  assert.equal(new Output({}, { stdout, stderr: stdout, env: {} }).columns, 80);
});

test("CLI-5: a bar is only drawn on a terminal", () => {
  const state = { doing: "Hashing", fraction: 0.5, parts: ["1.0 MiB/s"] };
  const terminal = open({}, { tty: true });
  terminal.output.progress.update(state);
  assert.match(
    terminal.stderr.text,
    /^\r\u001b\[KHashing {4} 50 % {2}\[={10}> {9}\] {2}1\.0 MiB\/s$/,
  );
  for (const { output, stderr } of [
    open({}),
    open({}, { tty: true, env: { TERM: "dumb" } }),
    open({ quiet: true }, { tty: true }),
    open({ json: true }, { tty: true }),
    open({ progress: "none" }, { tty: true }),
    open({ progress: "plain" }, { tty: true }),
  ]) {
    output.progress.update(state);
    assert.equal(stderr.text, "");
  }
});

test("lines that change take each other's place on a terminal, as many as fit; elsewhere they follow each other", () => {
  const terminal = open({}, { tty: true });
  terminal.output.redraw(["one", "two"]);
  terminal.output.redraw(["1", "2", "3", "4", "5\u001b[2J"]);
  terminal.output.redraw([]);
  assert.equal(
    terminal.stdout.text,
    "one\ntwo\n\u001b[2A\r\u001b[J1\n2\n3\n... and 2 more; everseed ls lists them.\n\u001b[4A\r\u001b[J",
  );
  for (const plain of [open({}), open({}, { tty: true, env: { TERM: "dumb" } })]) {
    plain.output.redraw(["one"]);
    plain.output.redraw(["1", "2\u001b[2J"]);
    assert.equal(plain.stdout.text, "one\n\n1\n2\\x1b[2J\n");
  }
});
