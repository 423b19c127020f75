import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const OLD = "a harbour full of fog";
const NEW = "seven lamps on a pier";
const ENV = {
  EVERSEED_ENGINE_PORT: "0",
  EVERSEED_TRACKER_UDP_PORT: "0",
  XDG_DATA_HOME: "/nowhere",
};

/** A folder with a hub in `data`, whose administrator is ann, and a new password in `new`. */
async function initialised(context: TestContext): Promise<string> {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "old"), `${OLD}\n`, { mode: 0o600 });
  await writeFile(join(folder, "new"), `${NEW}\n`, { mode: 0o600 });
  const args = ["hub", "init", "--data", "data", "--admin", "ann", "--password-file", "old"];
  const made = await everseed(context, args, { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  return folder;
}

async function startHub(context: TestContext, folder: string) {
  const args = ["hub", "start", "--data", "data", "--port", "0", "--json"];
  const hub = new EverseedProcess(context, args, { cwd: folder, env: ENV });
  const site = `http://127.0.0.1:${await hub.port()}`;
  return { hub, site };
}

async function signIn(site: string, password: string): Promise<Response> {
  return fetch(`${site}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "ann", password }),
  });
}

/** @returns The name of the user whose cookie it is; `undefined` when it is not valid. */
async function who(site: string, cookie: string): Promise<string | undefined> {
  const answer = await fetch(`${site}/api/v1/session`, { headers: { cookie } });
  const { user } = (await answer.json()) as { user: { name: string } | null };
  return user?.name;
}

function cookieOf(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0]!)
    .join("; ");
}

test("hub password sets a new password while a hub runs, and ends its sessions", async (context) => {
  const folder = await initialised(context);
  const { site } = await startHub(context, folder);
  const cookie = cookieOf(await signIn(site, OLD));
  assert.equal(await who(site, cookie), "ann");
  const args = ["hub", "password", "Ann", "--data", "data", "--password-file", "new"];
  const set = await everseed(context, args, { cwd: folder });
  assert.equal(set.exit, 0, set.stderr);
  assert.match(set.stdout, /^Ann has the new password\. All sessions of that name ended\.\n$/);
  assert.equal(await who(site, cookie), undefined, "who was signed in is not any more");
  assert.equal((await signIn(site, OLD)).status, 401);
  assert.equal((await signIn(site, NEW)).status, 200);
});

test("hub password sets a new password while no hub runs", async (context) => {
  const folder = await initialised(context);
  const args = ["hub", "password", "ann", "--data", "data", "--password-file", "new", "--json"];
  const set = await everseed(context, args, { cwd: folder });
  assert.equal(set.exit, 0, set.stderr);
  assert.deepEqual(JSON.parse(set.stdout), { name: "ann" });
  const { site } = await startHub(context, folder);
  assert.equal((await signIn(site, NEW)).status, 200);
});

test("hub password reports what is wrong", async (context) => {
  const folder = await initialised(context);
  await writeFile(join(folder, "weak"), "aaaaaaaaaaaa\n", { mode: 0o600 });
  const cases = [
    {
      name: "bob",
      data: "data",
      file: "new",
      exit: 3,
      words: /no account of the name bob\.\n {2}Try: one of these names: ann\.$/m,
    },
    { name: "ann", data: "data", file: "weak", exit: 2, words: /too easy to guess/ },
    {
      name: "ann",
      data: "none",
      file: "new",
      exit: 3,
      words: /^everseed: There is no hub in .*none\.\n {2}Try: the folder that/,
    },
  ];
  for (const { name, data, file, exit, words } of cases) {
    const args = ["hub", "password", name, "--data", data, "--password-file", file];
    const refused = await everseed(context, args, { cwd: folder });
    assert.match(refused.stderr, words);
    assert.equal(refused.exit, exit);
  }
});

test("hub setup-link sets a new password in the browser, once, while a hub runs", async (context) => {
  const folder = await initialised(context);
  const { site } = await startHub(context, folder);
  const cookie = cookieOf(await signIn(site, OLD));
  assert.match(await (await fetch(`${site}/setup`)).text(), /Setup is done/);
  const older = await setupLink(context, folder);
  const link = await setupLink(context, folder);
  assert.ok(link.startsWith(`${site}/setup#`), link);
  assert.match(await (await fetch(`${site}/setup`)).text(), /A new password/);
  const post = (url: string): Promise<Response> => setUp(site, url, "ann");
  assert.equal((await post(older)).status, 403, "the newest alone is worth something");
  const done = await post(link);
  assert.equal(done.status, 201, await done.text());
  assert.equal(await who(site, cookieOf(done)), "ann");
  assert.equal(await who(site, cookie), undefined);
  assert.equal((await signIn(site, OLD)).status, 401);
  assert.equal((await post(link)).status, 409, "once");
  assert.match(await (await fetch(`${site}/login`)).text(), /everseed hub setup-link/);
});

test("hub setup-link sets up a new hub when its first link has expired", async (context) => {
  const folder = temporaryFolder(context);
  const { site } = await startHub(context, folder);
  const link = await setupLink(context, folder);
  const done = await setUp(site, link, "zoe");
  assert.equal(done.status, 201, await done.text());
  assert.equal(await who(site, cookieOf(done)), "zoe");
  assert.equal((await fetch(site)).url, `${site}/`, "setup is over for everybody");
});

async function setupLink(context: TestContext, folder: string): Promise<string> {
  const made = await everseed(context, ["hub", "setup-link", "--data", "data", "--json"], {
    cwd: folder,
  });
  assert.equal(made.exit, 0, made.stderr);
  return (JSON.parse(made.stdout) as { url: string }).url;
}

async function setUp(site: string, link: string, name: string): Promise<Response> {
  return fetch(`${site}/api/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key: link.split("#")[1]!, name, password: NEW }),
  });
}
