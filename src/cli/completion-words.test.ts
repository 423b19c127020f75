import assert from "node:assert/strict";
import { test } from "node:test";
import { type Candidate, complete, type KnownWords } from "./completion-words.ts";
import { createProgram } from "./program.ts";

const said = (...words: readonly string[]): readonly Candidate[] =>
  words.map((word) => ({ word, says: `what ${word} is` }));

const KNOWN: KnownWords = {
  transfers: () => Promise.resolve(said("9d3c0a11", "9d3cffee", "a2100000")),
  labels: () => Promise.resolve(said("films", "music")),
  keys: () => Promise.resolve(said("engine.port", "engine.proxy", "log.level")),
  valuesOf: (key) => Promise.resolve(key === "log.level" ? said("debug", "info") : []),
  interfaces: () => Promise.resolve(said("lo", "tun0")),
};

/** @param line - What stands before the cursor; a blank at its end begins a new word. */
async function at(line: string): Promise<{ words: string[]; kind: string }> {
  const { candidates, kind } = await complete(await createProgram(), line.split(" "), KNOWN);
  return { words: candidates.map(({ word }) => word), kind };
}

test("commands, and those below them", async () => {
  const { words } = await at("");
  for (const word of ["add", "daemon", "get", "help", "version"]) assert.ok(words.includes(word));
  // What help does not list is not offered either.
  assert.ok(!words.includes("transfers"));
  assert.deepEqual((await at("daemon sta")).words, ["start", "status"]);
  assert.deepEqual((await at("help daemon sta")).words, ["start", "status"]);
  assert.deepEqual((await at("completion ")).words, ["bash", "zsh", "fish"]);
  assert.deepEqual((await at("no-such ")).words, []);
});

test("what stands at the cursor", async () => {
  for (const [line, words, kind] of [
    ["ls --lab", ["--label"], "plain"],
    ["get --kind ", [], "files"],
    ["create --kind ", ["v1", "hybrid", "v2"], "plain"],
    ["create --kind=h", ["--kind=hybrid"], "plain"],
    ["get --dht o", ["on", "off"], "plain"],
    ["hub start --lsd ", ["on", "off"], "plain"],
    ["ls --label ", ["films", "music"], "plain"],
    ["ls --label=fi", ["--label=films"], "plain"],
    ["seed x --interface t", ["tun0"], "plain"],
    ["start 9d", ["9d3c0a11", "9d3cffee"], "described"],
    // An id that was given is not offered again, and an option may stand between.
    ["rm 9d3c0a11 --with-content 9", ["9d3cffee"], "described"],
    ["move a2", ["a2100000"], "described"],
    ["move a2100000 ", [], "folders"],
    ["set --label films 9d3c0", ["9d3c0a11"], "described"],
    ["show ", ["9d3c0a11", "9d3cffee", "a2100000"], "files"],
    ["check x.torrent ", [], "folders"],
    ["add -o ", [], "folders"],
    ["add -- -", [], "files"],
    ["publish --token-file ", [], "files"],
    ["config set engine.p", ["engine.port", "engine.proxy"], "plain"],
    ["config set log.level ", ["debug", "info"], "plain"],
    ["config get --sys", ["--system"], "plain"],
    ["get --up ", [], "plain"],
  ] as const) {
    assert.deepEqual(await at(line), { words: [...words], kind }, line);
  }
});
