import type { Draft } from "../../src/api/drafts.ts";
import type { Page, PageFrame, PageModel, QrCode, TorrentPage } from "../../src/api/pages.ts";
import { downloadPath } from "../../src/api/paths.ts";
import type { TorrentDetail, TorrentSummary } from "../../src/api/torrents.ts";
import { encode } from "uqr";

/** A name that tries everything a name can try on a page (HUB-5, MET-4). */
export const hostileName =
  '<script>alert(1)</script>"><img src=x onerror=alert(2)> \u202Egnp.exe </title></script> &amp;';

const day = 24 * 3600 * 1000;
const ago = (days: number): string => new Date(Date.now() - days * day).toISOString();
const hex = (digits: number, seed: number): string =>
  Array.from({ length: digits }, (_, index) =>
    ((index * 7 + seed * 13 + index * index) % 16).toString(16),
  ).join("");

function qr(text: string): QrCode {
  const { size, data } = encode(text, { border: 0 });
  const path = data
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return { size, path };
}

const swarm = {
  seeds: 4,
  leechers: 9,
  completed: 1208,
  uploadBytesPerSecond: 2_202_009,
  uploaded: 91_268_055_040,
};

function summary(id: string, name: string, more: Partial<TorrentSummary> = {}): TorrentSummary {
  const infohashV1 = hex(40, id.length + name.length);
  const infohashV2 = hex(64, name.length);
  return {
    id,
    name,
    size: 2_469_606_195,
    fileCount: 14,
    kind: "hybrid",
    private: false,
    publishedAt: ago(3),
    publishedBy: "harbour-archive",
    infohashV1,
    infohashV2,
    magnet: `magnet:?xt=urn:btih:${infohashV1}&xt=urn:btmh:1220${infohashV2}&dn=${encodeURIComponent(name)}&tr=https%3A%2F%2Fhub.example%2Fannounce`,
    pageUrl: `https://hub.example/t/${id}/harbour-talks-2026`,
    torrentUrl: `https://hub.example/t/${id}.torrent`,
    swarm,
    ...more,
  };
}

const talks: readonly (readonly [string, number])[] = [
  ["01 opening.webm", 191_260_262],
  ["02 tides and timetables.webm", 210_763_776],
  ["03 a net that mends itself.webm", 185_493_094],
  ["slides/01.pdf", 3_250_586],
  ["slides/02.pdf", 5_033_165],
  ["slides/second day/Конспект второй лекции.pdf", 7_300_000],
  ["transcripts/01.txt", 41_984],
  ["transcripts/02.txt", 39_424],
  ["transcripts/empty.txt", 0],
];

function files(id: string, list: readonly (readonly [string, number])[]) {
  return list.map(([path, size], index) => ({
    index,
    path,
    size,
    downloadPath: downloadPath(id, index, path),
  }));
}

export function torrentDetail(more: Partial<TorrentDetail> = {}): TorrentDetail {
  const id = "k3f9c2aa";
  return {
    ...summary(id, "Harbour talks 2026"),
    fileCount: talks.length,
    folder: true,
    comment:
      "Recordings of the talks in the old customs house.\n\nSlides and transcripts are included.",
    createdBy: "Everseed 0.1.0",
    pieceSize: 4 * 1024 * 1024,
    pieceCount: 589,
    trackers: ["https://hub.example/announce", "udp://hub.example:6969/announce"],
    checkedAt: ago(0.2),
    files: files(id, talks),
    ...more,
  };
}

function torrentPage(more: Partial<TorrentPage> = {}): TorrentPage {
  const torrent = more.torrent ?? torrentDetail();
  return {
    kind: "torrent",
    torrent,
    fileList: { query: "", page: 1, pages: 1, total: torrent.fileCount },
    qr: qr(torrent.pageUrl),
    fresh: false,
    ...more,
  };
}

const manyFiles = torrentDetail({
  name: "Tide tables 1890–1990, scanned",
  fileCount: 10_000,
  files: files(
    "k3f9c2aa",
    Array.from({ length: 200 }, (_, index) => [
      `${1890 + Math.floor(index / 12)}/month ${String((index % 12) + 1).padStart(2, "0")}.tif`,
      5_033_165 + index * 977,
    ]),
  ),
});

export const draft: Draft = {
  id: "d81kq0zz",
  name: "Harbour talks 2026",
  folder: true,
  fileCount: 14,
  size: 2_469_606_195,
  offset: 893_386_752,
  kind: "hybrid",
  pieceSize: 1024 * 1024,
  private: false,
  createdAt: ago(0.02),
  state: "uploading",
  problem: null,
  uploadPath: "/api/v1/drafts/d81kq0zz/content",
  pageUrl: "https://hub.example/t/d81kq0zz/harbour-talks-2026",
  torrent: null,
};

const rows: readonly TorrentSummary[] = [
  summary("k3f9c2aa", "Harbour talks 2026"),
  summary("a1", "Tide tables 1890–1990, scanned", {
    size: 51_646_981_734,
    publishedAt: ago(8),
    swarm: { ...swarm, seeds: 2, leechers: 0 },
  }),
  summary("a2", "Genome assembly run 7 (raw reads)", {
    size: 1_319_413_953_331,
    publishedAt: ago(16),
    swarm: { ...swarm, seeds: 1, leechers: 3 },
  }),
  summary("a3", "Festival recordings, второй день", {
    size: 19_219_979_264,
    publishedAt: ago(40),
    private: true,
    swarm: { ...swarm, seeds: 6, leechers: 1 },
  }),
  summary("a4", "שלום עולם – הקלטות מן הנמל 2025", { size: 7_000_000, publishedAt: ago(300) }),
  summary("a5", hostileName, { size: 217_055, publishedAt: ago(500) }),
  summary("a6", `${"Averyveryverylongnamewithoutasinglespace".repeat(6)}.tar.zst`, {
    size: 222_298_112,
    publishedAt: ago(800),
    swarm: { ...swarm, seeds: 0, leechers: 0 },
  }),
];

const catalogue = {
  kind: "catalogue",
  list: { query: "", page: 1, pages: 1, total: rows.length, torrents: [...rows] },
} as const;

const setup = {
  kind: "setup",
  state: "open",
  name: "admin",
  siteName: "hub.example",
  dataFolder: "/home/ann/everseed/data",
  freeBytes: 1_539_316_278_886,
  passwordMin: 10,
  problem: null,
} as const;

const publish = {
  kind: "publish",
  first: false,
  freeBytes: 1_539_316_278_886,
  uploadBytesMax: null,
  filesMax: 200_000,
  trackers: ["https://hub.example/announce", "udp://hub.example:6969/announce"],
  drafts: [],
} as const;

const account = {
  kind: "account",
  tokens: [
    {
      id: "t1",
      name: "laptop",
      start: "evs_8fK2",
      scope: "publish",
      createdAt: ago(20),
      expiresAt: ago(-70),
      lastUsedAt: ago(0.1),
    },
    {
      id: "t2",
      name: "backup script",
      start: "evs_Qz01",
      scope: "admin",
      createdAt: ago(2),
      expiresAt: ago(-5),
      lastUsedAt: null,
    },
  ],
  createdToken: null,
  sessions: [
    {
      id: "s1",
      current: true,
      userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36",
      address: "192.0.2.7",
      createdAt: ago(1),
      lastSeenAt: ago(0),
    },
    {
      id: "s2",
      current: false,
      userAgent: "everseed/0.1.0",
      address: "2001:db8::17",
      createdAt: ago(12),
      lastSeenAt: ago(3),
    },
  ],
  problem: null,
  notice: null,
} as const;

const wrongPassword = {
  field: null,
  message: "Name or password is wrong.",
  hint: null,
  waitSeconds: null,
};

/** Every page in every state that looks different, by the name pictures of it get. */
export const pageModels: Readonly<Record<string, PageModel>> = {
  setup: setup,
  "setup-wrong-key": {
    ...setup,
    problem: {
      field: "key",
      message: "This setup key is not good any more.",
      hint: null,
      waitSeconds: null,
    },
  },
  "setup-done": { ...setup, state: "done" },
  "setup-elsewhere": { ...setup, state: "elsewhere" },
  login: { kind: "login", name: "", next: "/publish", problem: null },
  "login-wrong": { kind: "login", name: "ann", next: "/", problem: wrongPassword },
  "login-wait": {
    kind: "login",
    name: "ann",
    next: "/",
    problem: {
      field: null,
      message: "Too many tries.",
      hint: "This slows down anyone who guesses passwords.",
      waitSeconds: 47,
    },
  },
  publish: publish,
  "publish-first": { ...publish, first: true },
  "publish-unfinished": {
    ...publish,
    uploadBytesMax: 21_474_836_480,
    drafts: [draft, { ...draft, id: "d2", name: hostileName }],
  },
  upload: { kind: "upload", draft, mine: true, qr: qr(draft.pageUrl) },
  "upload-stranger": { kind: "upload", draft, mine: false, qr: qr(draft.pageUrl) },
  "upload-failed": {
    kind: "upload",
    draft: { ...draft, state: "failed", problem: "The disk of the hub is full." },
    mine: true,
    qr: qr(draft.pageUrl),
  },
  torrent: torrentPage(),
  "torrent-fresh": torrentPage({
    fresh: true,
    torrent: torrentDetail({
      publishedAt: ago(0),
      comment: null,
      swarm: { seeds: 1, leechers: 0, completed: 0, uploadBytesPerSecond: 0, uploaded: 0 },
    }),
  }),
  "torrent-one-file": torrentPage({
    torrent: torrentDetail({
      name: "talk.webm",
      folder: false,
      fileCount: 1,
      kind: "v1",
      infohashV2: null,
      files: files("k3f9c2aa", [["talk.webm", 191_260_262]]),
    }),
  }),
  "torrent-no-seeds": torrentPage({
    torrent: torrentDetail({ private: true, swarm: { ...swarm, seeds: 0 } }),
  }),
  "torrent-many-files": torrentPage({
    torrent: manyFiles,
    fileList: { query: "", page: 7, pages: 50, total: 10_000 },
  }),
  "torrent-file-search": torrentPage({
    torrent: { ...manyFiles, files: [] },
    fileList: { query: "zebra", page: 1, pages: 1, total: 0 },
  }),
  "torrent-hostile": torrentPage({
    torrent: torrentDetail({
      name: hostileName,
      comment: hostileName,
      publishedBy: hostileName,
      createdBy: hostileName,
      files: files("k3f9c2aa", [[`a/${hostileName.replaceAll("/", "_")}`, 1]]),
    }),
  }),
  catalogue: catalogue,
  "catalogue-empty": {
    kind: "catalogue",
    list: { query: "", page: 1, pages: 1, total: 0, torrents: [] },
  },
  "catalogue-search": {
    kind: "catalogue",
    list: { query: "harbour", page: 1, pages: 1, total: 1, torrents: [rows[0]!] },
  },
  "catalogue-nothing": {
    kind: "catalogue",
    list: { query: hostileName, page: 1, pages: 1, total: 0, torrents: [] },
  },
  "catalogue-pages": {
    kind: "catalogue",
    list: { query: "", page: 7, pages: 24, total: 1180, torrents: [...rows] },
  },
  account: { ...account, tokens: [...account.tokens], sessions: [...account.sessions] },
  "account-new-token": {
    ...account,
    tokens: [...account.tokens],
    sessions: [...account.sessions],
    createdToken: { name: "laptop", token: "evs_8fK2mWqz7RrT0Yv3bN1xLdC5hPjS9aGe" },
  },
  "account-first": {
    ...account,
    tokens: [],
    sessions: [...account.sessions],
    notice: "The password is changed.",
  },
  "not-found": {
    kind: "message",
    status: 404,
    title: "There is nothing here",
    text: "No torrent has this address. The link may be cut short, or it was removed long ago.",
    hint: null,
    errorId: null,
    search: true,
  },
  removed: {
    kind: "message",
    status: 410,
    title: "Removed",
    text: "Harbour talks 2025 was removed by ann on 2026-11-02.",
    hint: "Ask who gave you the link.",
    errorId: null,
    search: true,
  },
  "wrong-host": {
    kind: "message",
    status: 421,
    title: "This hub does not answer to that name",
    text: "The address you used names a host that is not configured here.",
    hint: "Open http://127.0.0.1:6969 on this machine, or add the name under `hosts` in everseed.yaml.",
    errorId: null,
    search: false,
  },
  broken: {
    kind: "message",
    status: 500,
    title: "Something went wrong here",
    text: "This is a fault of the hub, not yours.",
    hint: "Try again; if it stays, tell the administrator the id below.",
    errorId: "e-7fk2-09ab",
    search: false,
  },
};

const strangerPages = /^(setup|login|catalogue-empty|wrong-host)/;

/** The whole page as the hub would hand it to the renderer. */
export function pageOf(
  name: string,
  assets: PageFrame["assets"] = { scripts: [], styles: [] },
): Page {
  const model = pageModels[name];
  if (model === undefined) throw new Error(`no page model called ${name}`);
  const stranger = strangerPages.test(name);
  return {
    frame: {
      siteName: "Harbour archive",
      version: "0.1.0",
      user: stranger ? null : { id: "u1", name: "ann", role: "admin" },
      path: `/${name}`,
      url: `https://hub.example/${name}`,
      mayPublish: !stranger,
      totals:
        name.startsWith("setup") && name !== "setup-done"
          ? null
          : { torrents: 42, bytes: 341_451_939_840 },
      assets,
    },
    model,
  };
}
