import assert from "node:assert/strict";
import { PROBLEM_CODES, problemSchema } from "../../../src/api/problem.ts";
import type { Random } from "../../../src/ports/random.ts";
import { seededRandom } from "../../../src/sim/seeded-random.ts";
import type { ApiOperation } from "./api-document.ts";
import { HOSTILE, pick, spoiled, validValue } from "./api-values.ts";
import type { ApiAnswer, ApiRequest, ApiWorld } from "./api-world.ts";

/** Operations that would end the fuzz's own session, or whose each try takes a tenth of a second by design. */
const LEFT_OUT: ReadonlySet<string> = new Set(["delete /api/v1/session"]);
const COSTLY: ReadonlySet<string> = new Set(["post /api/v1/session", "post /api/v1/password"]);
const COSTLY_TRIES = 6;

/** Refusals that are no fault of ours: another server is away, too much at one time, no room on the disk. */
const RIGHT_ABOVE_500: ReadonlySet<number> = new Set([502, 503, 507]);

const HEAD_TOO_LONG = 431;

export interface ApiFuzzReport {
  readonly operations: number;
  readonly requests: number;
  readonly refused: number;
}

/**
 * Sends wrong requests to every operation of the API's own document. Each must be answered in time, be refused with a
 * documented problem or accepted as documented, and what was refused must have changed nothing.
 *
 * @throws {AssertionError} (rejects) With the request, and the seed.
 */
export async function fuzzApi(
  world: ApiWorld,
  { seed, triesPerOperation }: { readonly seed: number; readonly triesPerOperation: number },
): Promise<ApiFuzzReport> {
  const random = seededRandom(seed);
  let operations = 0;
  let requests = 0;
  let refused = 0;
  let version = world.version();
  let state = world.state();
  for (const [path, methods] of Object.entries(world.document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method} ${path}`;
      if (LEFT_OUT.has(name)) continue;
      operations += 1;
      const tries = COSTLY.has(name) ? COSTLY_TRIES : triesPerOperation;
      for (let index = 0; index < tries; index += 1) {
        const request = wrongRequest(world, { method, path, operation }, random);
        requests += 1;
        const where = `seed ${seed}: ${describe(request)}`;
        const answer = await world.send(request).catch((error: unknown) => {
          throw new Error(`${where}: ${String(error)}`, { cause: error });
        });
        const isRefused = answer.status >= 400;
        if (isRefused) {
          refused += 1;
          judgeRefusal(answer, where);
        } else {
          assert.ok(String(answer.status) in operation.responses, `${where}: ${answer.status}`);
          if (method !== "get") await world.settled();
        }
        if (world.version() === version) continue;
        version = world.version();
        const after = world.state();
        if (isRefused)
          assert.equal(after, state, `${where}: it was refused, and changed something`);
        state = after;
      }
    }
  }
  return { operations, requests, refused };
}

function judgeRefusal({ status, type, text }: ApiAnswer, where: string): void {
  // The server has not read so much as the path: it is too long.
  if (status === HEAD_TOO_LONG) return;
  const told = `${where}: ${status} ${text.slice(0, 300)}`;
  assert.ok(status < 500 || RIGHT_ABOVE_500.has(status), told);
  assert.match(type, /^application\/json/, told);
  const problem = problemSchema.safeParse(JSON.parse(text));
  assert.ok(problem.success, told);
  assert.ok(PROBLEM_CODES.includes(problem.data.error.code), told);
  assert.notEqual(problem.data.error.message.trim(), "", told);
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly operation: ApiOperation;
}

function wrongRequest(world: ApiWorld, asked: Asked, random: Random): ApiRequest {
  const { method, operation } = asked;
  const { parameters = [], requestBody } = operation;
  const inPath = parameters.some((each) => each.in === "path");
  const inQuery = parameters.filter((each) => each.in === "query");
  // Without anything to be wrong in, a request is valid: it is sent with things that nobody asked for.
  const spoilsPath = inPath && random.below(requestBody ? 6 : 2) === 0;
  const id = world.ids.get(asked.path.split("/")[3]!) ?? "x";
  const isGiven = method === "get" || (requestBody && !spoilsPath);
  const part = isGiven && !spoilsPath ? id : encodeURIComponent(wrongId(random, id));
  const query = new URLSearchParams();
  for (const { name, schema } of inQuery) {
    if (random.below(3) > 0) continue;
    const value =
      random.below(3) === 0
        ? validValue(world.document, schema, random, `${world.folder}/content`)
        : pick(random, HOSTILE);
    query.append(name, typeof value === "string" ? value.toWellFormed() : JSON.stringify(value));
    if (random.below(6) === 0) query.append(name, "twice");
  }
  if (random.below(6) === 0) query.append(pick(random, ["__proto__", "x[y]", ""]), "1");
  const search = query.size > 0 ? `?${query.toString()}` : "";
  return {
    method: method.toUpperCase(),
    path: asked.path.replace("{id}", part) + search,
    ...wrongBody(world, operation, random),
  };
}

function wrongId(random: Random, id: string): string {
  return pick(random, [
    "\0",
    "..",
    ".",
    "%",
    "a/b",
    "__proto__",
    "x".repeat(3_000),
    "💩",
    "-1",
    " ",
    "\n",
    "0",
    `${id}0`,
    `${id}\0`,
  ]);
}

function wrongBody(
  { document, folder }: ApiWorld,
  { requestBody }: ApiOperation,
  random: Random,
): Pick<ApiRequest, "headers" | "body"> {
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (type === undefined || !content) return {};
  const headers = { "content-type": type };
  if (random.below(5) === 0) return pick(random, brokenBodies(type));
  if (type !== "application/json") {
    return { headers, body: random.bytes(random.below(300)) };
  }
  const value = validValue(document, content.schema, random, `${folder}/content`);
  const body = JSON.stringify(spoiled(document, content.schema, value, random)) ?? "";
  // A key that objects have by themselves cannot be written by a value.
  if (random.below(12) !== 0 || !body.startsWith("{")) return { headers, body };
  return { headers, body: body.replace("{", '{"__proto__":{"isAdmin":true},') };
}

/** Bodies that are no value of any schema. */
function brokenBodies(type: string): readonly Pick<ApiRequest, "headers" | "body">[] {
  const headers = { "content-type": type };
  return [
    { headers, body: "" },
    { headers },
    { headers, body: "{" },
    { headers, body: '{"a":1}}' },
    { headers, body: "\ufeff{}" },
    { headers, body: "[".repeat(30_000) },
    { headers, body: `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}` },
    { headers, body: Uint8Array.of(0x22, 0xff, 0xfe, 0x22) },
    { headers, body: '{"a":1e99999}' },
    { headers, body: `"${"z".repeat(100_000)}"` },
    { headers: { ...headers, "content-encoding": "gzip" }, body: "{}" },
    { headers: { "content-type": "text/plain" }, body: "{}" },
    { headers: { "content-type": `${type}; charset=utf-16` }, body: "{}" },
    { headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a=1" },
    { body: "{}" },
  ];
}

function describe({ method, path, headers, body }: ApiRequest): string {
  const text = body instanceof Uint8Array ? Buffer.from(body).toString("hex") : body;
  return `${method} ${path.slice(0, 300)} ${JSON.stringify(headers ?? {})} ${text?.slice(0, 500)}`;
}
