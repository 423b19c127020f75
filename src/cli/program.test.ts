import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { createProgram } from "./program.ts";

function allOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

test("CLI-2: no command takes a secret as an argument, only the file that contains it", () => {
  const options = allOf(createProgram()).flatMap(({ options: own }) => own);
  const secrets = options.filter(({ long }) => /pass|token|secret|key/.test(long ?? ""));
  assert.ok(secrets.length >= 4, `${secrets.length} options are about secrets`);
  for (const { flags } of secrets) assert.match(flags, /-file <file>$/);
});

test("the commands of a group are made when its name is among the words, and its name is always there", () => {
  const named = createProgram(["help", "hub", "start"]);
  const names = (program: Command, group: string) =>
    program.commands.find((child) => child.name() === group)?.commands.map((child) => child.name());
  assert.deepEqual(names(named, "hub"), names(createProgram(), "hub"));
  assert.ok(names(named, "hub")?.includes("start"));
  assert.deepEqual(names(named, "daemon"), []);
  assert.equal(createProgram([]).helpInformation(), createProgram().helpInformation());
});
