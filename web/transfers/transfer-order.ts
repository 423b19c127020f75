import type { TransferView } from "../../src/api/transfers.ts";
import { needsSomebody, shownPercent } from "./transfer-words.ts";

/** Which transfers the list shows; each has a word on a chip. */
export const SHOWN = [
  ["all", "All"],
  ["downloading", "Downloading"],
  ["seeding", "Seeding"],
  ["waiting", "Waiting"],
  ["checking", "Checking"],
  ["paused", "Paused"],
  ["needs", "Needs you"],
] as const;
export type Shown = (typeof SHOWN)[number][0];

const WAITING: ReadonlySet<string> = new Set(["queued", "taking", "finding", "moving", "removing"]);

export function belongsTo(transfer: TransferView, shown: Shown): boolean {
  const { state } = transfer;
  switch (shown) {
    case "all":
      return true;
    case "downloading":
    case "seeding":
    case "checking":
    case "paused":
      return state === shown;
    case "waiting":
      return WAITING.has(state);
    case "needs":
      return needsSomebody(transfer);
  }
}

/** Orders of the list; the first one is that of a new page. */
export const ORDERS = [
  ["needs", "Needs you first"],
  ["name", "Name"],
  ["queue", "Queue"],
  ["done", "Done"],
  ["down", "Down"],
  ["up", "Up"],
  ["left", "Time left"],
  ["peers", "Peers"],
  ["ratio", "Ratio"],
  ["added", "Newest first"],
] as const;
export type OrderKey = (typeof ORDERS)[number][0];

export interface Order {
  readonly key: OrderKey;
  /** The other way round. */
  readonly reversed: boolean;
}

/** Names with numbers in them in the order that people expect. */
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

const RANKS: readonly TransferView["state"][] = [
  "failed",
  "waiting",
  "stalled",
  "downloading",
  "finding",
  "queued",
  "checking",
  "taking",
  "moving",
  "removing",
  "paused",
  "seeding",
];
const rankOf = new Map(RANKS.map((state, rank) => [state, rank]));

const byName = (a: TransferView, b: TransferView): number => collator.compare(a.name, b.name);

const COMPARERS: Readonly<Record<OrderKey, (a: TransferView, b: TransferView) => number>> = {
  needs: (a, b) => (rankOf.get(a.state) ?? 0) - (rankOf.get(b.state) ?? 0),
  name: byName,
  queue: (a, b) =>
    Number(a.finishedAt !== null) - Number(b.finishedAt !== null) || a.position - b.position,
  done: (a, b) => shownPercent(b) - shownPercent(a),
  down: (a, b) => b.down - a.down,
  up: (a, b) => b.up - a.up,
  left: (a, b) => (a.eta ?? Infinity) - (b.eta ?? Infinity) || 0,
  peers: (a, b) => b.peers - a.peers,
  ratio: (a, b) => (b.ratio ?? -1) - (a.ratio ?? -1),
  added: (a, b) => Date.parse(b.addedAt) - Date.parse(a.addedAt),
};

/** Those that a filter and a search leave, in an order. The same on the server and in the browser. */
export function chosenTransfers(
  all: Iterable<TransferView>,
  options: {
    readonly shown: Shown;
    readonly search: string;
    readonly label: string | null;
    readonly order: Order;
  },
): TransferView[] {
  const { shown, label, order } = options;
  const words = options.search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const chosen: TransferView[] = [];
  for (const transfer of all) {
    if (!belongsTo(transfer, shown)) continue;
    if (label !== null && transfer.label !== label) continue;
    if (words.length > 0 && !matches(transfer, words)) continue;
    chosen.push(transfer);
  }
  const compare = COMPARERS[order.key];
  const sign = order.reversed ? -1 : 1;
  return chosen.sort(
    (a, b) => sign * compare(a, b) || byName(a, b) || (a.id < b.id ? -1 : Number(a.id !== b.id)),
  );
}

function matches({ name, id, label }: TransferView, words: readonly string[]): boolean {
  const text = `${name} ${label ?? ""} ${id}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** How many each chip shows. */
export function countsOf(all: Iterable<TransferView>): Map<Shown, number> {
  const counts = new Map<Shown, number>(SHOWN.map(([shown]) => [shown, 0]));
  for (const transfer of all) {
    for (const [shown] of SHOWN) {
      if (belongsTo(transfer, shown)) counts.set(shown, (counts.get(shown) ?? 0) + 1);
    }
  }
  return counts;
}
