import { fromLatin1 } from "../base/bytes.ts";
import { type Credential, joinCredentials, withParameter } from "./credential.ts";
import { QueryCursor } from "./query.ts";

/** The kind of request at a path of the tracker, and the credential in the path. */
export interface TrackerPath {
  readonly act: "announce" | "scrape";
  readonly credential: Credential | undefined;
}

const ANNOUNCE: TrackerPath = { act: "announce", credential: undefined };
const SCRAPE: TrackerPath = { act: "scrape", credential: undefined };
const BEFORE = /^\/(device\/)?([A-Za-z0-9_-]{16,128})\/(announce|scrape)\/?$/;
const BEHIND = /^\/(announce|scrape)\/(device\/)?([A-Za-z0-9_-]{16,128})\/?$/;
/** Parameters of the path and query in a datagram. */
const PARAMETERS_MAX = 64;

/**
 * Reads the path of a tracker address: `/announce` with a passkey before or after it (BEP 48 finds the scrape URL of
 * the former only), or with `device/` and a device's id in these places; the same for `/scrape`.
 *
 * @param path - Not decoded: nothing in it needs an escape.
 * @returns `undefined` when it is not an address of a tracker.
 */
export function parseTrackerPath(path: string): TrackerPath | undefined {
  switch (path) {
    case "/announce":
    case "/announce/":
      return ANNOUNCE;
    case "/scrape":
    case "/scrape/":
      return SCRAPE;
    default:
      return parsePathWithCredential(path);
  }
}

function parsePathWithCredential(path: string): TrackerPath | undefined {
  const before = BEFORE.exec(path);
  if (before) return withCredential(before[3], before[1], before[2]);
  const behind = BEHIND.exec(path);
  return behind ? withCredential(behind[1], behind[2], behind[3]) : undefined;
}

function withCredential(
  act: string | undefined,
  device: string | undefined,
  text: string | undefined,
): TrackerPath {
  return {
    act: act === "scrape" ? "scrape" : "announce",
    credential: { kind: device === undefined ? "passkey" : "device", text: text ?? "" },
  };
}

const cursor = new QueryCursor();

/**
 * Reads the credential in the path and query of a UDP tracker's URL (BEP 41). An unknown path holds none.
 *
 * @param url - One character per byte.
 * @throws {AnnounceError} `bad-escape`, `too-many-parameters`.
 */
export function parseUrlCredential(url: string): Credential | undefined {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const inPath = parseTrackerPath(path)?.credential;
  if (mark < 0) return inPath;
  const input = fromLatin1(url.slice(mark + 1));
  cursor.open(input, { start: 0, end: input.length }, PARAMETERS_MAX);
  let inQuery: Credential | undefined;
  while (cursor.next()) inQuery = withParameter(cursor, inQuery);
  return joinCredentials(inPath, inQuery);
}
