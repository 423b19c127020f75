import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { toLatin1 } from "./bytes.ts";
import { clientName, makePeerId, OWN_NAME, peerIdPrefix } from "./peer-id.ts";
import { VERSION } from "./version.ts";

test("the version in the code is that of the package, and our peer id and name tell it", () => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  assert.equal(VERSION, (JSON.parse(text) as { version: string }).version);
  assert.equal(toLatin1(makePeerId(new Uint8Array(12))).slice(0, 8), peerIdPrefix(VERSION));
  assert.equal(clientName(makePeerId(new Uint8Array(12))), OWN_NAME);
});

for (const [version, prefix] of [
  ["0.1.0", "-EV0100-"],
  ["1.12.3", "-EV1C30-"],
  ["2.0.0-beta.1", "-EV2000-"],
] as const) {
  test(`the version ${version} in a peer id`, () => {
    assert.equal(peerIdPrefix(version), prefix);
  });
}
