import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountsError } from "../accounts/accounts-error.ts";
import { createAdministrator, makeSetupLink, resetPassword } from "./hub-accounts.ts";

const WHO = { name: "ann", password: "correct horse", wantsToken: true };

function refusing(error: Error | undefined, names: string[] = []) {
  const calls: unknown[] = [];
  const act = async (...input: unknown[]): Promise<string> => {
    calls.push(input);
    if (error) throw error;
    return "id";
  };
  return {
    calls,
    createAdministrator: act,
    createToken: async (...input: unknown[]) => {
      calls.push(input);
      return { id: "1", name: "", start: "", scope: "admin", token: "secret" } as never;
    },
    resetPassword: async (...input: unknown[]) => void (await act(...input)),
    names: async () => names,
  };
}

test("an administrator is created, with a token only when one is wanted", async () => {
  const accounts = refusing(undefined);
  assert.deepEqual(await createAdministrator(accounts, WHO), { token: "secret" });
  const token = { name: "hub init", scope: "admin", expiresInDays: 366 };
  assert.deepEqual(accounts.calls, [
    ["ann", "correct horse"],
    ["id", token],
  ]);
  const plain = await createAdministrator(accounts, { ...WHO, wantsToken: false });
  assert.deepEqual(plain, { token: undefined });
  assert.equal(accounts.calls.length, 3);
});

test("a second administrator and a weak password are refused by different codes; our own faults pass", async () => {
  const create = (error: Error) => createAdministrator(refusing(error), WHO);
  const done = new AccountsError("setup-done", "There is one.");
  await assert.rejects(create(done), { code: "exists", detail: "There is one." });
  const weak = new AccountsError("weak-password", "It is too short.");
  await assert.rejects(create(weak), { code: "bad-plan", detail: "It is too short." });
  const fault = new TypeError("ours");
  await assert.rejects(create(fault), fault);
});

test("a reset for an unknown name lists the known ones, or says that there are none", async () => {
  const unknown = new AccountsError("not-found", "There is no account bob.");
  const reset = (names: string[]) => resetPassword(refusing(unknown, names), "bob", "x");
  await assert.rejects(reset(["ann", "eve"]), { code: "not-found", hint: /: ann, eve\.$/ });
  await assert.rejects(reset([]), { code: "not-found", hint: /hub init makes/ });
});

test("a reset with a weak password says that nothing was changed", async () => {
  const weak = new AccountsError("weak-password", "It is too short.");
  const reset = resetPassword(refusing(weak), "ann", "x");
  await assert.rejects(reset, { code: "bad-plan", hint: /nothing was changed/ });
});

test("a setup link leads to the address of the last start, or to that of a first one", async () => {
  const accounts = { makeSetupLink: async () => "KEY" };
  const link = (siteUrl: string | undefined, runs: boolean) =>
    makeSetupLink({ accounts, siteUrl, runs });
  assert.deepEqual(await link("http://192.0.2.4:80", true), {
    url: "http://192.0.2.4:80/setup#KEY",
    runs: true,
  });
  assert.deepEqual(await link(undefined, false), {
    url: "http://127.0.0.1:8420/setup#KEY",
    runs: false,
  });
});
