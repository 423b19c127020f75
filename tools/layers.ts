/**
 * The rooms of `src/` and the arrows between them, as code. `layers-rule.ts` and `oxlint.config.ts` turn
 * it into lint errors. A new arrow is one line here, with its reason. A test refuses arrows that no import uses.
 */

interface Room {
  /** Rooms it may import, in addition to `base` and itself. */
  readonly imports: readonly string[];
  /** Whether it may import npm packages; speech, engines and ports are our own code only. */
  readonly packages?: true;
  /** Whether it may touch the world: `node:` modules, the clock, randomness, timers. The others do so through ports. */
  readonly world?: true;
}

const COMPOSED =
  "ports api engine dht lsd mse pex udp nat tracker-client store accounts guard proxy tracker publish transfers transmission-rpc hub commands platform config";

export const ROOMS: ReadonlyMap<string, Room> = new Map<string, Room>([
  ["base", { imports: [] }],
  ["ports", { imports: [] }],
  ["api", { imports: [], packages: true }],
  // Speech: pure and synchronous.
  ["bencode", { imports: [] }],
  ["metainfo", { imports: ["bencode"] }],
  ["wire", { imports: ["bencode"] }],
  ["announce", { imports: ["bencode"] }],
  // Streams and handlers are the shapes of `ports`; a clock and chance come from there too.
  ["utp", { imports: ["ports"] }],
  // It knows the packets of each protocol by their start; uTP says itself what looks like it.
  ["udp", { imports: ["ports", "utp"] }],
  // Engines: speech and ports.
  ["engine", { imports: ["bencode", "metainfo", "wire", "ports"] }],
  // It is a `PeerSource`, whose shape the engine declares.
  ["dht", { imports: ["bencode", "engine", "ports"] }],
  // It is a `PeerSource`, whose shape the engine declares.
  ["tracker-client", { imports: ["announce", "engine", "ports"] }],
  // It is a `PeerSource`, whose shape the engine declares.
  ["lsd", { imports: ["engine", "ports"] }],
  // It is an extension of the peer protocol, whose shape the engine declares.
  ["pex", { imports: ["wire", "engine"] }],
  // The clock, chance, datagrams and calls by HTTP are ports.
  ["nat", { imports: ["ports"] }],
  // It decorates streams in a way that the engine declares.
  ["mse", { imports: ["engine", "wire", "ports"] }],
  ["store", { imports: [], packages: true, world: true }],
  // Services: what people use.
  ["accounts", { imports: ["store", "ports"], packages: true }],
  ["tracker", { imports: ["announce", "ports"] }],
  // `dht`: the signed items by which keys find publications are judged here, and kept in the DHT.
  ["publish", { imports: ["engine", "metainfo", "dht", "store", "ports"] }],
  ["transfers", { imports: ["engine", "metainfo", "store", "ports"] }],
  // Another program's words for transfers; a .torrent file is read to know which files an index means.
  ["transmission-rpc", { imports: ["engine", "metainfo", "transfers", "ports"] }],
  // One place judges where a torrent leads, for commands and the hub (house rule 8).
  ["guard", { imports: ["ports"] }],
  // Streams and datagrams through a proxy: machines and decorators of ports.
  ["proxy", { imports: ["ports"] }],
  [
    "hub",
    {
      imports: ["api", "accounts", "publish", "transfers", "transmission-rpc", "ports"],
      packages: true,
    },
  ],
  [
    "commands",
    {
      // An exchange of pieces uses the engine and its trackers, behind the guard. `publish`: content that is hashed for
      // publishing in place is watched as the hub watches it. `accounts`: the owner of a data folder changes them.
      // `transfers`: the engine of a node is composed as that of a command.
      // `udp`: the port that the parts of a session share, uTP among them.
      // The only package is that of the shapes in `api`.
      imports:
        "accounts api bencode metainfo engine dht lsd nat mse pex tracker-client utp udp guard publish transfers ports".split(
          " ",
        ),
      packages: true,
    },
  ],
  // Edges.
  // `proxy`: HTTP requests go through the tunnels that it opens.
  ["platform", { imports: ["ports", "proxy"], packages: true, world: true }],
  ["sim", { imports: ["ports", "engine", "metainfo"] }],
  ["config", { imports: [], packages: true }],
  ["daemon", { imports: COMPOSED.split(" "), world: true }],
  // `config`: the table of keys that have flags.
  [
    "cli",
    {
      imports: ["api", "ports", "commands", "config", "daemon"],
      packages: true,
      world: true,
    },
  ],
]);

/**
 * The folders of a room that has several, and the arrows between them. The top of the room holds its contract, which
 * every folder may import; only the files in `heads` may import from the folders.
 */
interface Inside {
  readonly heads: readonly string[];
  readonly folders: ReadonlyMap<string, readonly string[]>;
}

/** It composes the others; the picker is a part of the downloader. */
const TORRENT_COMPOSES = "sharing connection storage download upload swarm exchange webseed".split(
  " ",
);

export const INSIDE: ReadonlyMap<string, Inside> = new Map<string, Inside>([
  [
    "engine",
    {
      heads: ["session.ts", "routes.ts", "peer-owner.ts"],
      folders: new Map<string, readonly string[]>([
        ["sharing", []],
        ["picker", []],
        ["connection", []],
        ["storage", ["sharing"]],
        ["download", ["sharing", "picker", "storage"]],
        ["webseed", ["sharing", "download"]],
        ["upload", ["sharing"]],
        ["swarm", ["sharing", "connection"]],
        ["exchange", ["connection"]],
        ["torrent", TORRENT_COMPOSES],
      ]),
    },
  ],
]);

/** Names that a room without `world` must not use, and what to use instead. */
export const WORLDLY_GLOBALS: ReadonlyMap<string, string> = new Map([
  ["Date", "Take the time from the Clock port."],
  ["performance", "Take the time from the Clock port."],
  ["setTimeout", "Start timers through the Clock port."],
  ["setInterval", "Start timers through the Clock port."],
  ["setImmediate", "Start timers through the Clock port."],
  ["process", "Settings come from the composition in daemon/."],
  ["fetch", "Go to the network through a port."],
  ["WebSocket", "Go to the network through a port."],
]);

/** A digest depends on nothing but its input, so this one pure file may ask `node:crypto` for it. */
const HASH_FILE = "src/base/hash.ts";

/**
 * Judges one import by the table.
 *
 * @param file - The importing file, from the top of the repository: `src/wire/decoder.ts`.
 * @param specifier - As it is written in the import.
 * @returns What is wrong, in words for the programmer; `undefined` when it is allowed.
 */
export function judgeImport(file: string, specifier: string): string | undefined {
  const from = place(file);
  if (specifier.startsWith(".")) return judgeRelative(from, resolveFrom(file, specifier));
  if (from.top !== "src" || isTest(file)) return undefined;
  const room = ROOMS.get(from.room);
  if (!room) return unknownRoom(from.room);
  if (specifier.startsWith("node:")) {
    if (room.world || (file === HASH_FILE && specifier === "node:crypto")) return undefined;
    return `${from.room}/ does not touch the world: ${specifier} comes through a port of ports/.`;
  }
  if (room.packages) return undefined;
  return `${from.room}/ uses no package: ${specifier} belongs further out.`;
}

/** Tests may use the world (temporary folders, timers) and the simulation. */
export function isTest(file: string): boolean {
  return /\.test\.tsx?$/.test(file);
}

interface Place {
  readonly file: string;
  /** First component: `src`, `web`, `test`, `tools`, `bench`. */
  readonly top: string;
  /** Second component below `src/`; empty elsewhere. */
  readonly room: string;
  /** The subfolder of the room, which is private to it; empty for its top. */
  readonly folder: string;
}

function judgeRelative(from: Place, target: string): string | undefined {
  const to = place(target);
  if (/\/index\.tsx?$/.test(target)) return "No index.ts: import the file that holds the thing.";
  if (to.top === "src") {
    if (!ROOMS.has(to.room)) return unknownRoom(to.room);
    if (to.room === from.room) return judgeInside(from, to);
    // A benchmark measures a part alone, as the test beside it looks at it alone.
    if (from.top === "bench") return undefined;
    if (to.folder !== "")
      return `Subfolders of ${to.room}/ are private to it: import a file of its top.`;
  }
  if (from.top === "web") return judgeFromWeb(to);
  if (from.top !== "src") return undefined;
  if (to.top !== "src") {
    return isTest(from.file) ? undefined : `src/ does not import ${to.top}/.`;
  }
  return judgeArrow(from, to);
}

/** Judges an import within a room. Tests may look into every folder of their room. */
function judgeInside(from: Place, to: Place): string | undefined {
  const inside = INSIDE.get(from.room);
  if (!inside || isTest(from.file) || from.folder === to.folder) return undefined;
  const own = from.folder === "" ? topOf(inside, from) : inside.folders.get(from.folder);
  if (!own) return `src/${from.room}/${from.folder} is no folder of tools/layers.ts.`;
  if (to.folder !== "") {
    if (own.includes(to.folder)) return undefined;
    return `${from.room}/${from.folder} may not import ${to.folder}/: no such arrow in tools/layers.ts.`;
  }
  if (!inside.heads.includes(fileName(to.file))) return undefined;
  return `${fileName(to.file)} puts the folders of ${to.room}/ together: they do not import it.`;
}

/** @returns The folders that a file of the room's top may import. */
function topOf(inside: Inside, { file }: Place): readonly string[] {
  return inside.heads.includes(fileName(file)) ? [...inside.folders.keys()] : [];
}

function fileName(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}

function judgeFromWeb(to: Place): string | undefined {
  if (to.top !== "src" || to.room === "api") return undefined;
  return `Of src/ the pages may import api/ only, not ${to.room}/.`;
}

function judgeArrow(from: Place, to: Place): string | undefined {
  const room = ROOMS.get(from.room);
  if (!room) return unknownRoom(from.room);
  if (to.room === "base" || room.imports.includes(to.room)) return undefined;
  if (to.room === "sim" && isTest(from.file)) return undefined;
  return `${from.room}/ may not import ${to.room}/: no such arrow in tools/layers.ts.`;
}

function unknownRoom(room: string): string {
  return `src/${room} is no room of tools/layers.ts.`;
}

function place(file: string): Place {
  const parts = file.split("/");
  const top = parts[0] ?? "";
  if (top !== "src") return { file, top, room: "", folder: "" };
  return { file, top, room: parts[1] ?? "", folder: parts.length > 3 ? parts[2]! : "" };
}

function resolveFrom(file: string, specifier: string): string {
  const parts = file.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
