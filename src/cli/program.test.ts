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
