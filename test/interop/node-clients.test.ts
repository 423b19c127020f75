import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { TRANSFERS_PATH, transferPath } from "../../src/api/paths.ts";
import type { TransferView } from "../../src/api/transfers.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { temporaryFolder } from "./content.ts";
import { assertSameTree, type ForeignPeer, FOREIGN_PEERS, skipUnless } from "./foreign-peers.ts";
import { EVERSEED, Running, until } from "./process.ts";
import { startSmallTracker } from "./small-tracker.ts";

// One node, told what to do over its control API, fetches from each client of others and serves each of them, by .torrent
// file and by magnet link.

const PIECE = 32_768;
/** The one after the other, as in the torrent. */
const FILES: readonly (readonly [string, number])[] = [
  ["large.bin", 400_001],
  ["Übung.txt", 1_000],
];
const SIZE = FILES.reduce((sum, [, bytes]) => sum + bytes, 0);

interface Made {
  /** The folder that holds the content. */
  readonly folder: string;
  readonly content: string;
  readonly torrent: string;
  readonly magnet: string;
  readonly id: string;
}

/** Content with a .torrent file and a tracker of its own. */
async function make(t: TestContext, parent: string, name: string): Promise<Made> {
  const tracker = await startSmallTracker(t);
  const folder = path.join(parent, `of ${name}`);
  const content = path.join(folder, name);
  fs.mkdirSync(content, { recursive: true });
  const bytes = randomBytes(SIZE);
  let offset = 0;
  for (const [file, length] of FILES) {
    fs.writeFileSync(path.join(content, file), bytes.subarray(offset, offset + length));
    offset += length;
  }
  const pieces: Buffer[] = [];
  for (let at = 0; at < SIZE; at += PIECE) {
    pieces.push(
      createHash("sha1")
        .update(bytes.subarray(at, at + PIECE))
        .digest(),
    );
  }
  const info = dictOf({
    name,
    "piece length": PIECE,
    pieces: new Uint8Array(Buffer.concat(pieces)),
    files: FILES.map(([file, length]) => dictOf({ length, path: [file] })),
  });
  const id = createHash("sha1").update(encode(info)).digest("hex");
  const torrent = path.join(parent, `${name}.torrent`);
  fs.writeFileSync(torrent, encode(dictOf({ announce: tracker.url, info })));
  const magnet = `magnet:?xt=urn:btih:${id}&dn=${name}&tr=${encodeURIComponent(tracker.url)}`;
  return { folder, content, torrent, magnet, id };
}

/** A node, as a program of its owner calls it. */
class Node {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static async start(t: TestContext, home: string): Promise<Node> {
    const running = new Running(t, [EVERSEED, "daemon", "start", "--foreground", "--json"], {
      EVERSEED_HOME: home,
      EVERSEED_ENGINE_HOST: "127.0.0.1",
      EVERSEED_ENGINE_PORT: "0",
      EVERSEED_DISCOVERY_DHT: "false",
      EVERSEED_DISCOVERY_LSD: "false",
      EVERSEED_ROUTER_MAP_PORTS: "false",
    });
    const node = new Node(String((await running.event("ready"))["socket"]));
    await node.#call("PATCH", `${TRANSFERS_PATH}/settings`, { downloadsMax: 0 });
    return node;
  }

  /** Adds it, stopped. */
  async addFile(torrent: string, folder: string): Promise<void> {
    const query = `?stopped=true&folder=${encodeURIComponent(folder)}`;
    await this.#call("POST", `${TRANSFERS_PATH}/torrent${query}`, fs.readFileSync(torrent));
  }

  async addMagnet(source: string, folder: string): Promise<void> {
    await this.#call("POST", TRANSFERS_PATH, { source, folder, stopped: true });
  }

  /** Starts it, with these peers to ask first. */
  async begin(id: string, ...addPeers: readonly string[]): Promise<void> {
    if (addPeers.length > 0) await this.#call("PATCH", transferPath(id), { addPeers });
    await this.#call("POST", `${transferPath(id)}/start`);
  }

  async find(id: string): Promise<TransferView> {
    return JSON.parse(await this.#call("GET", transferPath(id))) as TransferView;
  }

  /** Waits until it has everything. It asks its tracker again meanwhile: the other side may have come later. */
  async seeding(id: string): Promise<TransferView> {
    let found = await this.find(id);
    await until(`the node seeds ${found.name}`, async () => {
      found = await this.find(id);
      if (found.state === "seeding") return true;
      await this.announce(id);
      return false;
    });
    return found;
  }

  async announce(id: string): Promise<void> {
    await this.#call("POST", `${transferPath(id)}/announce`);
  }

  #call(method: string, target: string, body?: object): Promise<string> {
    const isFile = body instanceof Uint8Array;
    const type = isFile ? "application/x-bittorrent" : "application/json";
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = body === undefined ? {} : { "content-type": type };
    const options = { socketPath: this.#socket, path: target, method, headers };
    const request = http.request(options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => void (text += chunk.toString()));
      response.on("end", () => {
        if ((response.statusCode ?? 500) < 300) resolve(text);
        else reject(new Error(`${method} ${target}: ${response.statusCode} ${text}`));
      });
    });
    request.on("error", reject);
    request.end(isFile ? body : body && JSON.stringify(body));
    return promise;
  }
}

interface Way {
  readonly parent: string;
  readonly by: "magnet" | "file";
}

/** The node fetches from a client, what a link names or what a .torrent file describes. */
async function fetchFrom(
  t: TestContext,
  node: Node,
  peer: ForeignPeer,
  { parent, by }: Way,
): Promise<void> {
  const made = await make(t, parent, `theirs-by-${by}`);
  const port = await peer.seed(t, made.torrent, made.folder);
  const out = path.join(parent, `fetched by ${by}`);
  if (by === "magnet") await node.addMagnet(made.magnet, out);
  else await node.addFile(made.torrent, out);
  // A peer that the owner names is dialled again soon when it was not ready yet.
  await node.begin(made.id, `127.0.0.1:${port}`);
  const { name } = await node.seeding(made.id);
  await until("the node has counted it", async () => (await node.find(made.id)).downloaded >= SIZE);
  assertSameTree(made.content, path.join(out, name));
}

/** A client fetches from the node, by a file or by a link. */
async function serve(
  t: TestContext,
  node: Node,
  peer: ForeignPeer,
  { parent, by }: Way,
): Promise<void> {
  const made = await make(t, parent, `ours-by-${by}`);
  await node.addFile(made.torrent, made.folder);
  await node.begin(made.id);
  await node.seeding(made.id);
  const out = path.join(parent, `served by ${by}`);
  fs.mkdirSync(out);
  let isDone = false;
  const leeching = peer
    .leech(t, by === "magnet" ? made.magnet : made.torrent, out)
    .finally(() => void (isDone = true));
  // Some clients dial nobody on loopback: the node hears of them from its tracker, and dials.
  await until(`${peer.name} has everything by ${by}`, async () => {
    if (!isDone) await node.announce(made.id);
    return isDone;
  });
  await leeching;
  assertSameTree(made.content, path.join(out, path.basename(made.content)));
  await until("the node has counted it", async () => (await node.find(made.id)).uploaded >= SIZE);
}

const ONE_NODE =
  "one node fetches from and serves every client of others, by .torrent file and by magnet link";

test(ONE_NODE, { concurrency: FOREIGN_PEERS.length }, async (t) => {
  const folder = temporaryFolder(t);
  const node = await Node.start(t, path.join(folder, "home"));
  const all = FOREIGN_PEERS.map((peer) =>
    t.test(peer.name, { skip: skipUnless(peer) }, async (of) => {
      const parent = path.join(folder, peer.name);
      fs.mkdirSync(parent);
      const ways = (["file", "magnet"] as const).map((by) => ({ parent, by }));
      await Promise.all([
        ...ways.map((way) => fetchFrom(of, node, peer, way)),
        ...ways.map((way) => serve(of, node, peer, way)),
      ]);
    }),
  );
  await Promise.all(all);
});
