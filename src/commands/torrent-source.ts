import { decodeUtf8 } from "../base/bytes.ts";
import { torrentFilePath } from "../api/paths.ts";
import { magnetOfInfohash, parseMagnet } from "../metainfo/magnet.ts";
import type { TorrentServer } from "../guard/web-seed-guard.ts";
import type { MagnetLink, Metainfo } from "../metainfo/metainfo.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import { METAINFO_BYTES_MAX, parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { HttpFetch, HttpReply } from "../ports/net.ts";
import { EverseedError } from "../base/errors.ts";
import type { NamedContent, UserFiles } from "../ports/user-files.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import type { SourcePorts } from "./command-ports.ts";
import { factsOf } from "./path-facts.ts";

/**
 * A torrent as a user names it: a .torrent file, a magnet link, an infohash, or a URL of the first
 * two.
 */
export type TorrentSource = (
  | { readonly metainfo: Metainfo; readonly bytes: Uint8Array }
  /** @property link - The magnet link itself, also when a redirect led to it. */
  | { readonly magnet: MagnetLink; readonly link: string }
) & {
  /** The server that sent it; `undefined` for what may come from anywhere: a file, a magnet link. */
  readonly from?: TorrentServer | undefined;
};

/** What a server sent. */
interface Fetched {
  /** Bytes of a file, or the magnet link of a redirect. */
  readonly found: Uint8Array | string;
  readonly address: string;
}

const FETCH_TIMEOUT_MS = 30_000;

/** Limit on a hub's explanation of a refusal. */
const PROBLEM_BYTES_MAX = 16 * 1024;

/** Limit on a local file, which the user chose: more than strangers may send. */
const FILE_BYTES_MAX = 128 * 1024 * 1024;

/** Limit on a pipe or a device, whose length is unknown. */
const STREAM_BYTES_MAX = METAINFO_BYTES_MAX;

/**
 * Reads a torrent from the path of a .torrent file, a magnet link, an infohash, or an http(s) URL of a .torrent or
 * of a torrent's page on a hub.
 *
 * @throws {CommandError} `not-a-torrent`, `bad-magnet`, `not-found`, `not-readable`, `unreachable`,
 *   `not-allowed`, `bad-plan`.
 */
export async function readTorrentSource(
  ports: SourcePorts,
  source: string,
  signal?: AbortSignal,
): Promise<TorrentSource> {
  if (source === "") {
    throw new CommandError("bad-plan", "No torrent is named. The argument is empty.", {
      hint: "a .torrent file, a magnet link in quotes, or a URL.",
    });
  }
  if (/^magnet:/i.test(source)) return magnetSource(source);
  if (/^https?:\/\//i.test(source)) return fetchTorrent(ports, source, signal);
  // An existing file wins, whatever else its name looks like.
  if (factsOf(ports.files, source) === undefined) {
    const link = magnetOfInfohash(source);
    if (link !== undefined) return magnetSource(link);
    refuseScheme(source);
  }
  return parse(await readFile(ports.files, source, signal), source);
}

/** @throws {CommandError} `bad-plan` for a URL with an unsupported scheme. */
function refuseScheme(source: string): void {
  const scheme = /^([a-z][a-z0-9+.-]{1,20}):(?:\/\/|\?)/i.exec(source)?.[1];
  if (scheme === undefined) return;
  throw new CommandError(
    "bad-plan",
    `${source} cannot be fetched. "${scheme}" is no scheme known here.`,
    {
      subject: source,
      hint: "an http or https address, a magnet link, an infohash or a file.",
    },
  );
}

/** Like `readTorrentSource`, for callers that need the files to be known. */
export async function readTorrentFile(
  ports: SourcePorts,
  source: string,
  signal?: AbortSignal,
): Promise<{ readonly metainfo: Metainfo; readonly bytes: Uint8Array }> {
  const found = await readTorrentSource(ports, source, signal);
  if ("metainfo" in found) return found;
  const what = /^magnet:/i.test(source) ? "A magnet link" : "An infohash";
  throw new CommandError(
    "not-a-torrent",
    `${what} does not say which files there are, and so nothing can be compared with it or seeded.`,
    { hint: "give the .torrent file instead; everseed get fetches what it names from peers." },
  );
}

function magnetSource(link: string): TorrentSource {
  return { link, magnet: readMagnet(link) };
}

function readMagnet(link: string): MagnetLink {
  try {
    return parseMagnet(link);
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    // A shell cuts the text after the infohash or before it, and never changes a letter of it.
    const hint = /urn(?::|%3a)btpk/i.test(link)
      ? "everseed follow fetches the publication that it names and keeps it up to date, everseed get its newest version once."
      : /[?&]xt[.=]/i.test(link)
        ? "copy the whole link again: letters of its infohash are wrong or missing."
        : 'copy the whole link again, and put it in quotes: the shell cuts it at "&".';
    throw new CommandError("bad-magnet", `This is ${error.detail}.`, {
      hint,
      cause: error,
    });
  }
}

function parse(bytes: Uint8Array, label: string): TorrentSource {
  try {
    const metainfo = parseMetainfo(bytes, { bytesMax: FILE_BYTES_MAX });
    return { metainfo, bytes: bytes.subarray(0, metainfo.byteLength) };
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    throw new CommandError("not-a-torrent", `${label} is not a torrent: ${whyNot(bytes, error)}.`, {
      subject: label,
      hint: whatNow(bytes, error),
      cause: error,
    });
  }
}

function whyNot(bytes: Uint8Array, error: MetainfoError): string {
  const start = /^[\ufeff\s]*(<\S{0,20})/.exec(decodeUtf8(bytes.subarray(0, 64)))?.[1];
  if (start !== undefined) return `it looks like a web page (starts with "${start}")`;
  return error.detail.replace(/, not a torrent$/, "");
}

function whatNow(bytes: Uint8Array, error: MetainfoError): string {
  if (error.detail.includes("web page")) {
    return "download it again while logged in, or use the magnet link.";
  }
  if (bytes[0] === 0x1f) return "unpack it first (gunzip), then use what comes out.";
  return "download it again; it may have been cut off on the way.";
}

async function readFile(files: UserFiles, path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const limits = { fileBytesMax: FILE_BYTES_MAX, streamBytesMax: STREAM_BYTES_MAX, signal };
  let found: NamedContent;
  try {
    found = await files.read(path, limits);
  } catch (error) {
    signal?.throwIfAborted();
    throw diskTrouble(error, `read ${path}`, path);
  }
  const { kind, size, bytes } = found;
  if (kind === "folder") {
    throw new CommandError("not-a-torrent", `${path} is not a torrent: it is a folder.`, {
      subject: path,
      hint: `everseed create ${path} makes a torrent of it.`,
    });
  }
  if (kind === "file") {
    if (bytes) return bytes;
    throw new CommandError(
      "not-a-torrent",
      `${path} is not a torrent: it has ${size} bytes, a .torrent file at most ${FILE_BYTES_MAX}.`,
      { subject: path, hint: "give the .torrent file, not the content." },
    );
  }
  if (bytes?.length === 0) {
    throw new CommandError(
      "not-a-torrent",
      `${path} is not a torrent: it is not a file, and reading it gives no bytes.`,
      { subject: path, hint: "give the .torrent file, or see to what writes into it." },
    );
  }
  if (bytes) return bytes;
  throw new CommandError(
    "not-a-torrent",
    `${path} is not a torrent: it is not a file, and reading it gives more than ${STREAM_BYTES_MAX} bytes.`,
    { subject: path, hint: "give the .torrent file." },
  );
}

async function fetchTorrent(
  ports: SourcePorts,
  url: string,
  signal: AbortSignal | undefined,
): Promise<TorrentSource> {
  const fetched = await fetchBytes(ports, url, signal);
  const { found } = fetched;
  const page = torrentOfPage(url);
  if (typeof found !== "string" && page !== undefined && looksLikePage(found)) {
    return readFetched(await fetchBytes(ports, page, signal), url);
  }
  return readFetched(fetched, url);
}

function readFetched({ found, address }: Fetched, url: string): TorrentSource {
  const source = typeof found === "string" ? magnetSource(found) : parse(found, url);
  return { ...source, from: { address, url } };
}

function looksLikePage(bytes: Uint8Array): boolean {
  return decodeUtf8(bytes.subarray(0, 64)).trimStart().startsWith("<");
}

/** A hub shows a torrent at `/t/ID/SLUG` and serves its file at `/t/ID.torrent`. */
function torrentOfPage(url: string): string | undefined {
  const page = new URL(url);
  const match = /^(.*)\/t\/([^/.]+)(?:\/[^/]*)?$/.exec(page.pathname);
  if (!match) return undefined;
  return new URL(`${match[1]}${torrentFilePath(decodeURIComponent(match[2]!))}`, page).href;
}

/** A server may redirect to a magnet link, as torrent sites do. */
async function fetchBytes(
  ports: SourcePorts,
  url: string,
  signal: AbortSignal | undefined,
): Promise<Fetched> {
  if (!URL.canParse(url)) {
    throw new CommandError("bad-plan", `${url} is not a URL.`, {
      subject: url,
      hint: "https://hub.example/t/k3f9/talks, for example; put it in quotes.",
    });
  }
  // Most torrents are files, so commands load HTTP only when they need it.
  const http = await ports.openFetch();
  const { status, body, leadsTo, from } = await reach(http, url, signal);
  if (leadsTo !== undefined && /^magnet:/i.test(leadsTo)) return { found: leadsTo, address: from };
  if (leadsTo !== undefined) {
    const scheme = leadsTo.slice(0, leadsTo.indexOf(":"));
    throw new CommandError(
      "unreachable",
      `${url} cannot be fetched. It redirects to an address of the kind ${scheme}, which is not followed.`,
      { subject: url, hint: "open it in a browser, and give what you find there." },
    );
  }
  if (status === 200) return { found: body, address: from };
  const words = await hubProblem(http, url, { status, signal });
  if (words) throw words;
  if (status === 404 || status === 410) {
    throw new CommandError("not-found", `${url} is not there. The server says ${status}.`, {
      subject: url,
      hint: "check the address; the torrent may have been removed.",
    });
  }
  if (status === 401 || status === 403) {
    throw new CommandError("not-allowed", `${url} is not public. The server says ${status}.`, {
      subject: url,
      hint: "download the .torrent file in a browser where you are logged in.",
    });
  }
  throw new CommandError("unreachable", `${url} cannot be fetched. The server says ${status}.`, {
    subject: url,
    hint: "run the same command again later.",
  });
}

/**
 * Asks a hub why it does not serve a torrent: it knows who removed it, when, and until when that
 * can be undone.
 *
 * @returns `undefined` when there is no hub, or when it gives no such reason.
 */
async function hubProblem(
  http: HttpFetch,
  url: string,
  { status, signal }: { status: number; signal: AbortSignal | undefined },
): Promise<CommandError | undefined> {
  const page = new URL(url);
  const match = /^(.*)\/t\/([^/.]+)(?:\.[a-z]+|\/.*)?$/.exec(page.pathname);
  if (!match) return undefined;
  const [{ API_PREFIX }, { problemOf }] = await Promise.all([
    import("../api/paths.ts"),
    import("./hub-client.ts"),
  ]);
  const api = new URL(`${match[1]}${API_PREFIX}/torrents/${match[2]}`, page).href;
  const limits = { timeoutMs: FETCH_TIMEOUT_MS, bytesMax: PROBLEM_BYTES_MAX };
  try {
    const reply = await http.get(api, signal ? { ...limits, signal } : limits);
    if (reply.status !== status) return undefined;
    return problemOf(decodeUtf8(reply.body), url);
  } catch (error) {
    // Fall back to what is known already.
    if (error instanceof EverseedError) return undefined;
    throw error;
  }
}

async function reach(
  http: HttpFetch,
  url: string,
  signal: AbortSignal | undefined,
): Promise<HttpReply> {
  const limits = { timeoutMs: FETCH_TIMEOUT_MS, bytesMax: METAINFO_BYTES_MAX };
  try {
    return await http.get(url, signal ? { ...limits, signal } : limits);
  } catch (error) {
    if (!(error instanceof EverseedError)) throw error;
    throw new CommandError("unreachable", `${url} cannot be fetched. ${sentence(error.message)}`, {
      subject: url,
      hint: "check the address and the network, then run the same command again.",
      cause: error,
    });
  }
}

function sentence(text: string): string {
  const words = text.replace(/^platform: [a-z-]+: /, "").replace(/\.$/, "");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
