import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultSiteName, SiteName } from "./site-name.ts";

const cases: readonly (readonly [publicUrl: string | undefined, system: string, name: string])[] = [
  [undefined, "harbour", "harbour"],
  ["https://hub.example", "harbour", "hub.example"],
  ["https://hub.example:8443/", "harbour", "hub.example"],
  ["http://192.0.2.7:8420", "harbour", "harbour"],
  ["http://[2001:db8::7]:8420", "harbour", "harbour"],
  ["http://localhost:8420", "harbour", "harbour"],
  [undefined, "localhost", "Everseed"],
  [undefined, "localhost.localdomain", "Everseed"],
  [undefined, "", "Everseed"],
  [undefined, "h".repeat(300), "h".repeat(100)],
];
for (const [publicUrl, system, name] of cases) {
  test(`a site at ${publicUrl ?? "no public address"} on ${system || "a nameless machine"} is called ${name.slice(0, 12)}`, () => {
    assert.equal(defaultSiteName(publicUrl, system), name);
  });
}

test("a site has its configured name, else the one it was given, else a default; a rename is kept", async () => {
  const kept = new Map<string, string>();
  const settings = {
    get: async (key: string) => kept.get(key),
    set: async (key: string, value: string) => void kept.set(key, value),
  };
  const load = (configured?: string): Promise<SiteName> =>
    SiteName.load({ configured, publicUrl: undefined, systemName: "harbour", settings });
  const name = await load();
  assert.equal(name.current, "harbour");
  await name.rename("Given");
  assert.equal(name.current, "Given");
  assert.equal((await load()).current, "Given");
  assert.equal((await load("Configured")).current, "Configured");
});
