import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ControlApi } from "../../src/hub/control-api.ts";
import { Hub } from "../../src/hub/hub.ts";
import { TransmissionRoute } from "../../src/hub/transmission-route.ts";
import { HOST, hubWorld, PASSWORD } from "./hub-world.ts";

const PATH = "/transmission/rpc";
const ID = "x-transmission-session-id";
const SESSION = "0123456789abcdef";
const ANN = basic("ann", PASSWORD);

function basic(name: string, password: string): Record<string, string> {
  return { authorization: `Basic ${new TextEncoder().encode(`${name}:${password}`).toBase64()}` };
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly from?: string;
}

/** A hub with Transmission's RPC, which answers each request by its text in capitals. */
async function world(t: TestContext, options: { readonly setUp?: boolean } = {}) {
  const sim = await hubWorld(t, options);
  const asked: string[] = [];
  const rpc = {
    sessionId: SESSION,
    handle: async (text: string) => {
      asked.push(text);
      if (text === "break") throw new Error("a bug");
      return text.toUpperCase();
    },
  };
  const { accounts, random, log, isDiskFull } = sim.parts;
  const transmissionRoute = new TransmissionRoute({
    rpc,
    accounts,
    hosts: new Set(["hub.example"]),
    publicUrl: undefined,
    random,
    log,
    isDiskFull,
  });
  const hub = new Hub({ ...sim.parts, transmissionRoute });
  t.after(() => hub.close());
  const send = (sent: Sent = {}): Promise<Response> => {
    const { method = "POST", path = PATH, headers, body = "hello", from = "127.0.0.1" } = sent;
    const all = { host: HOST, ...headers };
    const request = new Request(`http://${all.host}${path}`, {
      method,
      headers: all,
      ...(method === "POST" && { body }),
    });
    return hub.handle(request, { remoteAddress: from, localAddress: "127.0.0.1" });
  };
  return { ...sim, send, asked, rpc };
}

test("HUB-4 a request repeats the session's id, which only programs can; the answer names it", async (t) => {
  const { send, asked } = await world(t);
  for (const headers of [ANN, { ...ANN, [ID]: "another" }]) {
    for (const method of ["POST", "GET"]) {
      const first = await send({ method, headers });
      assert.equal(first.status, 409);
      assert.equal(first.headers.get(ID), SESSION);
    }
  }
  assert.deepEqual(asked, []);
  for (const path of [PATH, `${PATH}/`]) {
    const answer = await send({ path, headers: { ...ANN, [ID]: SESSION } });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), "HELLO");
    assert.match(answer.headers.get("content-type")!, /^application\/json/);
  }
  assert.equal((await send({ method: "GET", headers: { ...ANN, [ID]: SESSION } })).status, 405);
});

test("HUB-3 HUB-4 other host names, other sites and packed bodies are refused before anything else", async (t) => {
  const { send, asked } = await world(t);
  const mine = { ...ANN, [ID]: SESSION };
  for (const [headers, status] of [
    [{ host: "evil.example" }, 421],
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ cookie: "a=b" }, 403],
    [{ "content-encoding": "gzip" }, 415],
  ] as const) {
    assert.equal((await send({ headers: { ...mine, ...headers } })).status, status);
  }
  assert.deepEqual(asked, []);
  for (const headers of [{ host: "hub.example" }, { origin: `http://${HOST}` }]) {
    assert.equal((await send({ headers: { ...mine, ...headers } })).status, 200);
  }
});

test("HUB-11 an administrator may, by password or token; a cookie, a member or a publish token may not", async (t) => {
  const { send, signIn, program, accounts } = await world(t);
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await send({ headers: { [ID]: SESSION, ...headers } })).status;
  const stranger = await send({ headers: { [ID]: SESSION } });
  assert.equal(stranger.status, 401);
  assert.match(stranger.headers.get("www-authenticate")!, /^Basic realm="Everseed"/);
  assert.equal(await status(ANN), 200);
  assert.equal(await status(basic("ANN", PASSWORD)), 200);
  for (const wrong of ["Basic", "Basic !!!", "Basic aGVsbG8=", "Basic /w==", "Digest x"]) {
    assert.equal(await status({ authorization: wrong }), 401, wrong);
  }
  const cookie = await signIn();
  assert.equal(await status({ cookie, origin: `http://${HOST}` }), 401);
  const admin = await program("admin");
  const publish = await program("publish");
  const token = (headers: Record<string, string>): string => headers["authorization"]!.slice(7);
  assert.equal(await status(admin), 200);
  assert.equal(await status(basic("any", token(admin))), 200);
  assert.equal(await status(publish), 403);
  assert.equal(await status(basic("ann", token(publish))), 403);
  assert.equal(await status(basic("ann", `${token(admin)}x`)), 401);
  assert.ok(accounts);
});

test("HUB-9 guesses of a password wait longer and longer, and one that is right is no guess", async (t) => {
  const { send } = await world(t);
  const from = "198.18.0.9";
  const guess = async (): Promise<Response> =>
    send({ from, headers: { [ID]: SESSION, ...basic("ann", "a wrong password") } });
  const right = (): Promise<Response> => send({ headers: { [ID]: SESSION, ...ANN } });
  assert.equal((await right()).status, 200);
  const answers: number[] = [];
  for (let n = 0; n < 12; n += 1) answers.push((await guess()).status);
  assert.equal(answers[0], 401);
  assert.equal(answers.at(-1), 429);
  const late = await guess();
  assert.ok(Number(late.headers.get("retry-after")) > 0);
  // A program that asks each second was judged once, and waits for nobody.
  for (let n = 0; n < 30; n += 1) assert.equal((await right()).status, 200);
});

test("without an account nobody is let in, and the answer says how to make one", async (t) => {
  const { send, asked } = await world(t, { setUp: false });
  for (const headers of [{}, ANN, basic("", ""), basic("transmission", "transmission")]) {
    const answer = await send({ headers: { [ID]: SESSION, ...headers } });
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /everseed hub init/);
  }
  assert.deepEqual(asked, []);
});

test("HUB-8 a body that is too long is not read to its end, and a fault of ours has a number", async (t) => {
  const { send, logged } = await world(t);
  const mine = { ...ANN, [ID]: SESSION };
  assert.equal((await send({ headers: mine, body: "x".repeat(42 * 1024 * 1024) })).status, 413);
  const broken = await send({ headers: mine, body: "break" });
  assert.equal(broken.status, 500);
  const number = /number of the error: ([0-9a-f]{8})/.exec(await broken.text())?.[1];
  assert.ok(number && logged.join("\n").includes(number));
});

test("it is absent unless it is turned on, and on the socket its owner needs no password", async (t) => {
  const { call, parts, rpc } = await world(t);
  assert.equal((await call(PATH, { method: "POST", body: "hello" })).status, 404);
  const socket = new ControlApi({ ...parts, ...parts.control, transmission: rpc });
  const ask = (headers: Record<string, string>): Promise<Response> =>
    socket.handle(
      new Request(`http://localhost${PATH}`, { method: "POST", body: "hello", headers }),
      { remoteAddress: "", localAddress: undefined },
    );
  assert.equal((await ask({})).status, 409);
  assert.equal(await (await ask({ [ID]: SESSION })).text(), "HELLO");
});
