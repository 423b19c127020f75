import type { Work } from "../base/work.ts";
import { shareLimitsFor } from "../transfers/share-limits.ts";
import type { Transfer } from "../transfers/transfer.ts";
import type { TransferPeers, TransferTrackers } from "../transfers/transfer-details.ts";
import { TransfersError } from "../transfers/transfers-error.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { RpcError } from "./rpc-error.ts";
import type { AnswerJson, RpcParts } from "./rpc-parts.ts";
import { select } from "./selection.ts";
import {
  type AskedTorrent,
  TORRENT_FIELDS,
  type TorrentField,
  type TorrentPart,
  type TorrentParts,
} from "./torrent-fields.ts";
import { isAwake } from "./torrent-status.ts";

/** Characters of one answer; a hundred thousand torrents with the fields that programs ask for have fewer. */
const ANSWER_CHARACTERS_MAX = 256 * 1024 * 1024;
/** Torrents that are written before other work gets a turn. */
const TORRENTS_PER_STEP = 32;

const NO_PEERS: TransferPeers = { peers: [], pieceCount: 0 };
const NO_TRACKERS: TransferTrackers = { tiers: [], status: [] };

/** Answers `torrent-get`, in both formats. */
export async function getTorrents(parts: RpcParts, args: RpcArguments): Promise<AnswerJson> {
  const names = (args.list("fields") ?? refuseNoFields()).filter(
    (name): name is string => typeof name === "string" && TORRENT_FIELDS.has(name),
  );
  const fields = [...new Set(names)].map((name) => [name, TORRENT_FIELDS.get(name)!] as const);
  const isTable = args.text("format") === "table";
  const { pages, removed } = select(args, parts.transfers, parts.recent);
  const fetch = new PartsFetcher(parts, fields);
  const rows: string[] = isTable ? [JSON.stringify(fields.map(([name]) => name))] : [];
  let characters = 0;
  for await (const page of pages) {
    const torrents: AskedTorrent[] = [];
    for (const transfer of page) {
      const torrent = await fetch.of(transfer);
      if (torrent) torrents.push(torrent);
    }
    for (const row of await parts.run(rowsOf(torrents, fields, isTable))) {
      rows.push(row);
      characters += row.length;
    }
    if (characters > ANSWER_CHARACTERS_MAX) {
      throw new RpcError("too-large", "The answer is too long: ask for fewer torrents or fields.");
    }
  }
  const gone = removed ? `,"removed":${JSON.stringify(removed)}` : "";
  return `{"torrents":[${rows.join(",")}]${gone}}`;
}

function refuseNoFields(): never {
  throw new RpcError("bad-request", '"fields" takes a list of names of fields.');
}

function* rowsOf(
  torrents: readonly AskedTorrent[],
  fields: readonly (readonly [string, TorrentField])[],
  isTable: boolean,
): Work<string[]> {
  const rows: string[] = [];
  for (const [index, torrent] of torrents.entries()) {
    const values = fields.map(([name, field]) => [name, field.of(torrent)] as const);
    rows.push(
      JSON.stringify(isTable ? values.map(([, value]) => value) : Object.fromEntries(values)),
    );
    if (index % TORRENTS_PER_STEP === TORRENTS_PER_STEP - 1) yield;
  }
  return rows;
}

/** Fetches of each transfer what the fields need, and nothing else. */
class PartsFetcher {
  readonly #parts: RpcParts;
  readonly #needs: ReadonlySet<TorrentPart>;
  #ranks: Promise<ReadonlyMap<string, number>> | undefined;

  constructor(parts: RpcParts, fields: readonly (readonly [string, TorrentField])[]) {
    this.#parts = parts;
    this.#needs = new Set(fields.flatMap(([, { needs }]) => needs));
  }

  /** @returns `undefined` when it was removed meanwhile. */
  async of(transfer: Transfer): Promise<AskedTorrent | undefined> {
    const { transfers, memory, clock, node } = this.#parts;
    const { id, label, choices } = transfer;
    const { labels, shareLimits } = transfers.settings;
    const ofLabel = label === undefined ? undefined : labels[label]?.shareLimits;
    try {
      return {
        ...(await this.#partsOf(transfer)),
        transfer,
        memory: memory.of(id),
        shareLimits: shareLimitsFor(choices.shareLimits, ofLabel, shareLimits),
        connectionsMax: node.connectionsPerTorrentMax,
        wallMs: clock.wallMs(),
      };
    } catch (error) {
      if (error instanceof TransfersError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  async #partsOf(transfer: Transfer): Promise<TorrentParts> {
    const { transfers, facts } = this.#parts;
    const { id } = transfer;
    const { details } = transfers;
    const needs = this.#needs;
    const parts: Partial<Record<TorrentPart, unknown>> = {
      // Nothing is connected to one that is a row.
      peers: needs.has("peers") && isAwake(transfer) ? await details.peers(id) : NO_PEERS,
      trackers: needs.has("trackers") ? await details.trackers(id) : NO_TRACKERS,
      files: needs.has("files") ? await details.files(id) : [],
      about: needs.has("about") ? await details.about(id) : undefined,
      facts: needs.has("facts") ? await facts.of(id) : undefined,
      rank: needs.has("rank") ? await this.#rank(id) : 0,
    };
    // A field reads only the parts that it needs.
    return parts as unknown as TorrentParts;
  }

  /** Finished ones are behind all others: the queue has downloads only. */
  async #rank(id: string): Promise<number> {
    this.#ranks ??= ranksOf(this.#parts.transfers.queue());
    const ranks = await this.#ranks;
    return ranks.get(id) ?? ranks.size;
  }
}

async function ranksOf(queue: Promise<string[]>): Promise<ReadonlyMap<string, number>> {
  return new Map((await queue).map((id, rank) => [id, rank]));
}
