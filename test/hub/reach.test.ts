import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reach } from "../../src/api/reach.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { ReachSettings } from "../../src/daemon/reach-settings.ts";
import { withPossibleTransport } from "../../src/daemon/hub-network.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { HOST, hubWorld, problemOf, type World } from "./hub-world.ts";

const ORIGIN = `http://${HOST}`;
const PAGE = "/admin/connections";

async function asAdministrator({ signIn }: World): Promise<Record<string, string>> {
  return { cookie: await signIn(), origin: ORIGIN };
}

/** The settings of a hub that starts with this table of values. */
function load(world: World, overrides = {}, origins = new Map()): Promise<ReachSettings> {
  const config = loadConfig({ env: {}, overrides });
  return ReachSettings.load({ config, origins }, world.store.settings, SILENT_LOG);
}

function valueOf(settings: Reach["settings"], key: string) {
  const { value, origin, waitsForRestart } = settings.find((each) => each.key === key)!;
  return [value, origin, waitsForRestart];
}

test("the page Connections shows each part and each setting, and sends strangers to sign in", async (t) => {
  const world = await hubWorld(t);
  const stranger = await world.call(PAGE);
  assert.equal(stranger.status, 303);
  assert.equal(stranger.headers.get("location"), `/login?next=${encodeURIComponent(PAGE)}`);
  const { model, frame } = await world.page(PAGE, { headers: await asAdministrator(world) });
  assert.ok(model.kind === "connections" && frame.mayAdminister);
  assert.deepEqual(model.reach.parts.encryption, {
    state: "works",
    words: "Here.",
    remedy: null,
    plain: 1,
    header: 2,
    rc4: 3,
  });
  assert.deepEqual(valueOf(model.reach.settings, "engine.connectionsMax"), [100, "file", false]);
  assert.deepEqual(valueOf(model.reach.settings, "engine.encryption"), [
    "prefer",
    "default",
    false,
  ]);
});

test("the form of the page keeps what was changed, and only that", async (t) => {
  const world = await hubWorld(t);
  const headers = await asAdministrator(world);
  const form = {
    "engine.encryption": "require",
    "engine.upBytesPerSecond": "1.5",
    "engine.downBytesPerSecond": "",
  };
  const saved = await world.call(PAGE, { headers, form });
  assert.equal(saved.status, 303);
  assert.equal(saved.headers.get("location"), `${PAGE}?saved`);
  const stored = await world.store.settings.get("reach");
  assert.deepEqual(stored, { "engine.encryption": "require", "engine.upBytesPerSecond": 1536 });
  const { model } = await world.page(`${PAGE}?saved`, { headers });
  assert.ok(model.kind === "connections" && model.saved);
  const { settings } = model.reach;
  assert.deepEqual(valueOf(settings, "engine.encryption"), ["require", "page", true]);
  assert.deepEqual(valueOf(settings, "engine.upBytesPerSecond"), [1536, "page", true]);
  // The default again is nobody's choice any more.
  await world.call(PAGE, { headers, form: { ...form, "engine.encryption": "prefer" } });
  assert.deepEqual(await world.store.settings.get("reach"), { "engine.upBytesPerSecond": 1536 });
});

test("a switch without a default is automatic, on or off", async (t) => {
  const world = await hubWorld(t);
  const headers = await asAdministrator(world);
  for (const [text, stored] of [
    ["on", { "discovery.dht": true }],
    ["off", { "discovery.dht": false }],
    ["", {}],
  ] as const) {
    await world.call(PAGE, { headers, form: { "discovery.dht": text } });
    assert.deepEqual(await world.store.settings.get("reach"), stored);
  }
});

test("a wrong value changes nothing: the form comes back filled in, with the reason", async (t) => {
  const world = await hubWorld(t);
  const headers = await asAdministrator(world);
  for (const [key, text, words] of [
    [
      "engine.upBytesPerSecond",
      "fast",
      /"Sending to peers" does not take "fast"\. It takes KiB per second, such as 500/,
    ],
    ["engine.upBytesPerSecond", "-1", /does not take "-1"/],
    [
      "engine.connectionsMax",
      "many",
      /does not take "many"\. It takes a whole number from 4 to 50000/,
    ],
    ["engine.encryption", "rot13", /"Encryption" takes prefer, require or off/],
  ] as const) {
    const form = { "engine.downBytesPerSecond": "7", [key]: text };
    const response = await world.call(PAGE, { headers, form });
    assert.equal(response.status, 400);
    const { model } = (await response.json()) as Awaited<ReturnType<World["page"]>>;
    assert.ok(model.kind === "connections");
    assert.equal(model.problem?.field, key);
    assert.match(model.problem.message, words);
    assert.deepEqual(model.typed, form);
  }
  assert.equal(await world.store.settings.get("reach"), undefined);
});

test("a setting that the configuration file gives cannot be changed on the page or by the API", async (t) => {
  const world = await hubWorld(t);
  const key = "engine.connectionsMax";
  const headers = await asAdministrator(world);
  const page = await world.call(PAGE, { headers, form: { [key]: "50" } });
  assert.equal(page.status, 409);
  const json = { settings: { [key]: 50, "engine.encryption": "off" } };
  const program = await world.program("admin");
  const api = await world.call("/api/v1/reach", { method: "PATCH", headers: program, json });
  assert.deepEqual(await problemOf(api), { status: 409, code: "conflict" });
  assert.equal(await world.store.settings.get("reach"), undefined, "all changes, or none");
});

test("the API changes settings, and null takes a change back", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program("admin");
  const patch = async (settings: Record<string, unknown>): Promise<Response> =>
    world.call("/api/v1/reach", { method: "PATCH", headers, json: { settings } });
  const changed = (await (await patch({ "engine.encryption": "off" })).json()) as Reach;
  assert.deepEqual(valueOf(changed.settings, "engine.encryption"), ["off", "page", true]);
  const back = (await (await patch({ "engine.encryption": null })).json()) as Reach;
  assert.deepEqual(valueOf(back.settings, "engine.encryption"), ["prefer", "default", false]);
  assert.deepEqual(await problemOf(await patch({ port: 1 })), { status: 404, code: "not_found" });
  assert.deepEqual(await problemOf(await patch({ "engine.encryption": 7 })), {
    status: 400,
    code: "bad_request",
  });
});

test("a change holds at once where a part listens, otherwise after the next start", async (t) => {
  const world = await hubWorld(t);
  const settings = await load(world);
  const limits: number[] = [];
  settings.whenChanged<number>("engine.upBytesPerSecond", (limit) => limits.push(limit));
  const mode = settings.live<string>("engine.encryption");
  const wanted = {
    "engine.upBytesPerSecond": 2048,
    "engine.encryption": "require",
    "engine.downBytesPerSecond": 4096,
  };
  assert.equal(await settings.change({ settings: wanted }), undefined);
  assert.deepEqual(limits, [2048]);
  assert.equal(mode(), "require");
  assert.deepEqual(valueOf(settings.view(), "engine.encryption"), ["require", "page", false]);
  assert.deepEqual(valueOf(settings.view(), "engine.downBytesPerSecond"), [4096, "page", true]);
  await settings.change({ settings: { "engine.upBytesPerSecond": null } });
  assert.deepEqual(limits, [2048, 0]);

  const next = await load(world);
  assert.equal(next.config.engine.downBytesPerSecond, 4096);
  assert.equal(next.config.engine.encryption, "require");
  const given = await load(
    world,
    { engine: { encryption: "off" } },
    new Map([["engine.encryption", "command-line"]]),
  );
  assert.equal(given.config.engine.encryption, "off");
  assert.deepEqual(valueOf(given.view(), "engine.encryption"), ["off", "command-line", false]);
});

test("a stored value that cannot be carried out is told, and the hub goes on", async (t) => {
  const world = await hubWorld(t);
  const encryption = "engine.encryption";
  await world.store.settings.set("reach", { [encryption]: "rot13", "engine.transport": "utp" });
  const settings = await load(world);
  const troubleOf = (key: string, troubles?: ReadonlyMap<string, string>) =>
    settings.view(troubles).find((each) => each.key === key)!.trouble;
  assert.equal(settings.config.engine.encryption, "prefer");
  assert.deepEqual(valueOf(settings.view(), encryption), ["prefer", "default", false]);
  assert.match(troubleOf(encryption)!, /does not take "rot13", so the default holds/);
  // The proxy of the configuration file may be newer than what the page stored.
  const behindProxy = (carriesDatagrams: boolean) => ({
    behindProxy: { name: "http://p:1", words: "", isStandIn: () => false, carriesDatagrams },
  });
  const transport = (network: Parameters<typeof withPossibleTransport>[1]) =>
    withPossibleTransport(settings, network, SILENT_LOG).engine.transport;
  assert.equal(transport({}), "utp");
  assert.equal(transport(behindProxy(true)), "utp");
  assert.equal(transport(behindProxy(false)), "both");
  assert.match(troubleOf("engine.transport")!, /^http:\/\/p:1 carries no uTP/);
  // Trouble that other parts find is told too, unless another value waits for the next start.
  const found = new Map([["engine.interface", "It is away."]]);
  assert.equal(troubleOf("engine.interface", found), "It is away.");
  await settings.change({ settings: { "engine.interface": "tun1", [encryption]: "off" } });
  assert.deepEqual([troubleOf("engine.interface", found), troubleOf(encryption)], [null, null]);
});

test("two changes at once are both kept", async (t) => {
  const world = await hubWorld(t);
  const settings = await load(world);
  await Promise.all([
    settings.change({ settings: { "engine.upBytesPerSecond": 1 } }),
    settings.change({ settings: { "engine.downBytesPerSecond": 2 } }),
  ]);
  assert.deepEqual(await world.store.settings.get("reach"), {
    "engine.upBytesPerSecond": 1,
    "engine.downBytesPerSecond": 2,
  });
});

test("rule 10: the page takes a proxy without a login only, and never shows one that the file gives", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program("admin");
  const secret = "socks5://me:hush@127.0.0.1:1080";
  for (const [proxy, why] of [
    [secret, /"Proxy": a name and password are not kept here.*configuration file/],
    ["socks5://me:hush@127.0.0.1:0", /"Proxy": It takes socks5:/],
    ["127.0.0.1:1080", /"Proxy": It takes socks5:/],
  ] as const) {
    const refused = await world.call("/api/v1/reach", {
      method: "PATCH",
      headers,
      json: { settings: { "engine.proxy": proxy } },
    });
    assert.equal(refused.status, 400);
    const { error } = (await refused.json()) as { error: { message: string } };
    assert.match(error.message, why);
    assert.doesNotMatch(error.message, /hush/);
  }
  const page = await world.call(PAGE, {
    headers: await asAdministrator(world),
    form: { "engine.proxy": secret },
  });
  const shown = await page.text();
  assert.equal(page.status, 400);
  assert.ok(shown.includes("socks5://127.0.0.1:1080") && !shown.includes("hush"));
  assert.equal(await world.store.settings.get("reach"), undefined);
  const plain = "http://proxy.example:3128";
  const settings = await load(world);
  assert.equal(await settings.change({ settings: { "engine.proxy": plain } }), undefined);
  assert.deepEqual(valueOf(settings.view(), "engine.proxy"), [plain, "page", true]);
  assert.equal((await load(world)).config.engine.proxy, plain);
  const origins = new Map([["engine.proxy", "file"]]);
  const given = await load(world, { engine: { proxy: secret } }, origins);
  assert.equal(given.config.engine.proxy, secret);
  assert.deepEqual(valueOf(given.view(), "engine.proxy"), [
    "socks5://127.0.0.1:1080",
    "file",
    false,
  ]);
});
