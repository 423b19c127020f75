import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { createProgram } from "./program.ts";

function allOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

test("CLI-2: no command takes a secret as an argument, only the file that contains it", async () => {
  const options = allOf(await createProgram()).flatMap(({ options: own }) => own);
  const secrets = options.filter(({ long }) => /pass|token|secret|key/.test(long ?? ""));
  assert.ok(secrets.length >= 4, `${secrets.length} options are about secrets`);
  for (const { flags } of secrets) assert.match(flags, /-file <file>$/);
});

test("the list of all commands is the same whether their code was loaded or not", async () => {
  const listed = await createProgram([]);
  assert.equal(listed.helpInformation(), (await createProgram()).helpInformation());
  assert.ok(listed.commands.length > 20);
});

test("what the words name is there whole, and nothing else", async () => {
  const all = await createProgram();
  const named = await createProgram(["help", "hub", "start"]);
  for (const name of ["hub", "start"]) {
    assert.deepEqual(optionsIn(named, name), optionsIn(all, name));
  }
  assert.ok(optionsIn(named, "hub").length > 10);
  assert.deepEqual(optionsIn(named, "daemon"), []);
  assert.deepEqual(optionsIn(named, "get"), ["--json"]);
});

/** The flags of a command and of all commands below it. */
function optionsIn(program: Command, name: string): readonly string[] {
  const command = program.commands.find((child) => child.name() === name);
  assert.ok(command);
  return allOf(command).flatMap(({ options }) => options.map(({ flags }) => flags));
}
