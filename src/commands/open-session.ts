import { invariant } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";
import { Session } from "../engine/session.ts";
import { NetGuard } from "../guard/net-guard.ts";
import { TrackerClient, type TrackerSource } from "../tracker-client/tracker-client.ts";
import { CommandError } from "./command-error.ts";
import type { SessionPorts } from "./command-ports.ts";

/**
 * Memory for arriving pieces and for blocks to be sent; claimed as needed. A piece may be longer
 * than all of it: the engine writes such pieces to disk block by block.
 */
const RECEIVE_BYTES_MAX = 96 * 1024 * 1024;
const SEND_BYTES_MAX = 48 * 1024 * 1024;

/** The customary ports of BitTorrent; by default the first free one is used. */
const PORTS_BY_CUSTOM = [6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889, 0];

export interface OneShotSessionOptions {
  /** Used as it is; `undefined` takes a free port. */
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  readonly downBytesPerSecond?: number | undefined;
  readonly upBytesPerSecond?: number | undefined;
}

/** An engine with real ports, for one command. */
export interface OneShotSession {
  readonly session: Session;
  readonly port: number;
  /** Judges the addresses to connect to. */
  readonly guard: NetGuard;
  /**
   * The trackers of one torrent as a source of peers; empty when it names none with a supported
   * protocol.
   *
   * @param named - More announce URLs, which the user names: they may be anywhere.
   */
  trackers(
    tiers: readonly (readonly string[])[],
    named: readonly string[],
  ): readonly TrackerSource[];
  /** Says goodbye to trackers, makes everything durable and ends the threads. */
  close(): Promise<void>;
}

/**
 * @throws {CommandError} `port-taken`, `not-allowed`, or `not-found` for an address that is not
 * this machine's.
 */
export async function openSession(
  ports: SessionPorts,
  options: OneShotSessionOptions,
): Promise<OneShotSession> {
  const { clock, random, log, faults } = ports;
  const disk = ports.openDisk();
  const guard = new NetGuard(ports);
  const session = new Session({
    ports: {
      clock,
      random,
      net: ports.openNet((peer) => guard.admitPeer(peer)),
      content: disk,
      receiveSlabs: disk.createSlabPool(RECEIVE_BYTES_MAX),
      sendSlabs: disk.createSlabPool(SEND_BYTES_MAX),
      log,
      faults,
    },
    settings: {
      downBytesPerSecond: options.downBytesPerSecond ?? 0,
      upBytesPerSecond: options.upBytesPerSecond ?? 0,
    },
  });
  const trackerClient = new TrackerClient({
    clock,
    random,
    http: guard.http,
    datagrams: guard.datagrams,
    log,
    judgePeers: (peers, from) => guard.judgePeers(peers, from),
  });
  const close = async (): Promise<void> => {
    await session.close();
    trackerClient.close();
    await disk.close();
  };
  try {
    const port = await listen(session, options.listen);
    return {
      session,
      port,
      close,
      guard,
      trackers: (tiers, named) => {
        for (const url of named) guard.trustTracker(url);
        const known = new Set(tiers.flat());
        const added = named.filter((url) => !known.has(url)).map((url) => [url]);
        const source = trackerClient.source([...tiers, ...added]);
        return source ? [source] : [];
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listen(
  session: Session,
  wanted: { readonly host: string; readonly port: number } | undefined,
): Promise<number> {
  if (wanted) return listenOnFirst(session, wanted.host, [wanted.port]);
  try {
    // "::" accepts IPv4 too, where the machine has IPv6.
    return await listenOnFirst(session, "::", PORTS_BY_CUSTOM);
  } catch {
    return listenOnFirst(session, "0.0.0.0", PORTS_BY_CUSTOM);
  }
}

/**
 * Listens for peers.
 *
 * @param ports - In order of preference; the first free one is used, and 0 means any.
 * @throws {CommandError} `port-taken` when all are taken, `not-allowed`, `not-found` for a foreign
 * address.
 */
async function listenOnFirst(
  session: Pick<Session, "listen">,
  host: string,
  ports: readonly number[],
): Promise<number> {
  let trouble: CommandError | undefined;
  for (const port of ports) {
    try {
      return await session.listen({ host, port });
    } catch (error) {
      trouble = listenTrouble(error, { host, port, setting: "--listen HOST:PORT" });
      if (trouble.code !== "port-taken") break;
    }
  }
  invariant(trouble, "there is a port to try");
  throw trouble;
}

/** Describes why a port cannot be opened. */
export function listenTrouble(
  failure: unknown,
  address: {
    readonly host: string;
    readonly port: number;
    /** The option or key that changes it: `--listen HOST:PORT`. */
    readonly setting: string;
  },
): CommandError {
  const { host, port, setting } = address;
  switch (systemCode(failure)) {
    case "EADDRINUSE":
      return new CommandError("port-taken", `Port ${port} is in use by another program.`, {
        hint: `another port with ${setting}, or stop that program.`,
        cause: failure,
      });
    case "EACCES":
      return new CommandError("not-allowed", `Port ${port} is reserved by the system.`, {
        hint: `a port above 1023 with ${setting}.`,
        cause: failure,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new CommandError("not-found", `${host} is not an address of this machine.`, {
        hint: "127.0.0.1 for this machine only, 0.0.0.0 for everybody.",
        cause: failure,
      });
    default:
      return new CommandError(
        "unreachable",
        `Cannot listen on ${host} port ${port}. ${failure instanceof Error ? failure.message : String(failure)}.`,
        { cause: failure },
      );
  }
}
