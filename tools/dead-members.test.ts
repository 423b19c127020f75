import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { deadMembers, readSources } from "./dead-members.ts";

test("a member that nothing names is found, and others are not", () => {
  const sources = new Map([
    [
      "src/a.ts",
      "export class Gauge {\n  readonly used = 1;\n  /** forgotten */\n  forgotten(): void {\n    if (this.used) return;\n  }\n  static async lost<T>(): Promise<T> {\n  }\n}\n",
    ],
    ["src/b.ts", "interface Shape {\n  readonly wide?: number;\n  // wide\n}\n"],
  ]);
  const names = deadMembers(sources).map(({ name }) => name);
  assert.deepEqual(names, ["Gauge.forgotten", "Gauge.lost", "Shape.wide"]);
});

test("no class and no interface has a member that nothing uses", () => {
  assert.deepEqual(deadMembers(readSources(path.resolve(import.meta.dirname, ".."))), []);
});
