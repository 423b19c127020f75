import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openStore } from "./open-store.ts";
import { StoreError, storeErrorCode } from "./store-error.ts";

function temporaryFolder(t: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "everseed-store-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("STO-3: a damaged database is refused and not changed, cut at every tenth", async (t) => {
  const path = join(temporaryFolder(t), "everseed.db");
  const store = await openStore(path);
  await store.settings.set("site-name", "Harbour");
  await store.close();
  const whole = readFileSync(path);
  for (let tenth = 1; tenth < 10; tenth += 1) {
    const cut = whole.subarray(0, Math.floor((whole.length * tenth) / 10));
    writeFileSync(path, cut);
    await assert.rejects(openStore(path), (error) => {
      assert.ok(error instanceof StoreError, String(error));
      assert.equal(error.code, "unreadable");
      assert.match(error.message, /everseed\.db/);
      return true;
    });
    assert.deepEqual(readFileSync(path), cut);
  }
});

test("a file that is not a database is refused", async (t) => {
  const path = join(temporaryFolder(t), "everseed.db");
  writeFileSync(path, "<!doctype html>".repeat(200));
  await assert.rejects(openStore(path), { code: "unreadable" });
});

test("a database of a newer program is refused", async (t) => {
  const path = join(temporaryFolder(t), "everseed.db");
  await (await openStore(path)).close();
  const database = new DatabaseSync(path);
  database.exec("insert into schema_migrations values ('9999-later', '2030-01-01')");
  database.close();
  await assert.rejects(openStore(path), { code: "newer-schema" });
});

test("written rows are there after reopening; the log is synced at every commit", async (t) => {
  const path = join(temporaryFolder(t), "everseed.db");
  const first = await openStore(path);
  assert.equal(await first.settings.get("site-name"), undefined);
  await first.settings.set("site-name", 'Har"bour\n=x');
  await first.settings.set("site-name", "Harbour");
  await first.close();
  const second = await openStore(path);
  assert.equal(await second.settings.get("site-name"), "Harbour");
  await second.close();
  assert.equal(statSync(path).mode & 0o777, 0o600, "CLI-3");
});

test("a full disk and a read-only database have codes", () => {
  const sqlite = (errcode: number) => Object.assign(new Error("x"), { errcode });
  assert.equal(storeErrorCode(sqlite(13)), "disk-full");
  assert.equal(storeErrorCode(sqlite(8 | (1 << 8))), "read-only");
  assert.equal(storeErrorCode(sqlite(19)), undefined);
  assert.equal(storeErrorCode(new Error("x")), undefined);
});

test("TRK-17: totals of swarms are read back as saved", async () => {
  const store = await openStore(":memory:");
  await store.swarmTotals.save([
    { infohash: new Uint8Array(20).fill(1), completed: 3, uploaded: 5, downloaded: 7 },
    { infohash: new Uint8Array(20).fill(2), completed: 0, uploaded: 0, downloaded: 0 },
  ]);
  const more = { completed: 4, uploaded: Number.MAX_SAFE_INTEGER, downloaded: 8 };
  await store.swarmTotals.save([{ infohash: new Uint8Array(20).fill(1), ...more }]);
  assert.deepEqual(
    [...store.swarmTotals.all()].toSorted((a, b) => a.infohash[0]! - b.infohash[0]!),
    [
      { infohash: new Uint8Array(20).fill(1), ...more },
      { infohash: new Uint8Array(20).fill(2), completed: 0, uploaded: 0, downloaded: 0 },
    ],
  );
  await store.close();
});

test("TRK-17: the figures of members and devices are kept by torrent and summed over all", async () => {
  const store = await openStore(":memory:");
  const [one, other] = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)];
  const anna = { kind: "member" as const, id: "anna" };
  const laptop = { kind: "device" as const, id: "anna" };
  const figures = { completed: 1, uploaded: 5, downloaded: 7, seededS: 60 };
  await store.principalTotals.add([
    { principal: anna, infohash: one, ...figures },
    { principal: anna, infohash: other, ...figures },
    { principal: laptop, infohash: one, ...figures },
  ]);
  const huge = { completed: 0, uploaded: Number.MAX_SAFE_INTEGER, downloaded: 1, seededS: 0 };
  await store.principalTotals.add([{ principal: laptop, infohash: one, ...huge }]);
  await store.principalTotals.add([]);
  assert.deepEqual(
    [...store.principalTotals.sums()],
    [
      { principal: laptop, ...figures, uploaded: Number.MAX_SAFE_INTEGER, downloaded: 8 },
      { principal: anna, completed: 2, uploaded: 10, downloaded: 14, seededS: 120 },
    ],
  );
  await assert.rejects(
    store.principalTotals.add([
      { principal: anna, infohash: one, ...figures },
      { principal: { kind: "nobody" as never, id: "x" }, infohash: one, ...figures },
    ]),
  );
  assert.equal([...store.principalTotals.sums()][1]!.completed, 2, "all or nothing");
  await store.close();
});

test("TRK-10: totals of unregistered infohashes are removed, the others stay", async (t) => {
  const path = join(temporaryFolder(t), "everseed.db");
  await (await openStore(path)).close();
  const database = new DatabaseSync(path);
  database.exec("delete from schema_migrations where name = '0011-registered-totals'");
  const blobs = { v1: "x'" + "01".repeat(20) + "'", v2: "x'" + "02".repeat(32) + "'" };
  const columns = database
    .prepare(
      "select name, type, \"notnull\" as must, dflt_value from pragma_table_info('torrents')",
    )
    .all();
  for (const [id, v1, v2] of [
    ["a", blobs.v1, "null"],
    ["b", "null", blobs.v2],
  ]) {
    const values = columns
      .filter(
        ({ must, dflt_value, name }) =>
          (must === 1 && dflt_value === null) || /infohash/.test(String(name)),
      )
      .map(({ name, type }) => {
        const value =
          name === "infohash_v1"
            ? v1
            : name === "infohash_v2"
              ? v2
              : name === "id"
                ? `'${id}'`
                : /^int/i.test(String(type))
                  ? "1"
                  : "'v1'";
        return [String(name), value] as const;
      });
    database.exec(
      `insert into torrents (${values.map(([name]) => name).join()}) values (${values.map(([, value]) => value).join()})`,
    );
  }
  for (const byte of ["01", "02", "03"]) {
    database.exec(
      `insert into swarm_totals (infohash, completed) values (x'${byte.repeat(20)}', 7)`,
    );
  }
  database.close();
  const store = await openStore(path);
  const kept = [...store.swarmTotals.all()].map(({ infohash }) => infohash[0]!);
  assert.deepEqual(
    kept.toSorted((a, b) => a - b),
    [1, 2],
  );
  await store.close();
});
