import assert from "node:assert/strict";
import { test } from "node:test";
import { dataFolderOf } from "./data-folder.ts";

const XDG = { XDG_DATA_HOME: "/srv/data" };

for (const [what, option, env, folder] of [
  ["an option", "here", { ...XDG, EVERSEED_DATA_DIR: "/there" }, "here"],
  ["a variable", undefined, { ...XDG, EVERSEED_DATA_DIR: "/there" }, "/there"],
  ["a folder for data", undefined, XDG, "/srv/data/everseed"],
  ["an empty variable of XDG", undefined, { XDG_DATA_HOME: "" }, "/home/ann/.local/share/everseed"],
  ["nothing", undefined, {}, "/home/ann/.local/share/everseed"],
] as const) {
  test(`with ${what}, a hub's data folder is ${folder}`, () => {
    assert.equal(dataFolderOf({ option, env, home: "/home/ann" }), folder);
  });
}
