import type { TransferView } from "../api/transfers.ts";
import { columnWidth } from "./column-width.ts";
import { formatRate, formatSeconds } from "./figures.ts";
import { cutMiddle, escapeOutside } from "./outside-text.ts";

const SHORT_ID_MIN = 4;
const NAME_MIN = 12;
const NAME_MAX = 40;
const STATE_MIN = 12;
const HEAD = ["ID", "NAME", "DONE", "DOWN", "UP", "PEERS", "ETA", "STATE"] as const;
/** Between columns. */
const GAP = "  ";
/** Columns by index. */
const [NAME, DONE, STATE] = [1, 2, 7] as const;

/** How many characters of an id tell it from all others. @param ids - All of them. */
export function shortIds(ids: readonly string[]): ReadonlyMap<string, string> {
  const sorted = ids.toSorted();
  return new Map(
    sorted.map((id, index) => {
      const shared = Math.max(sharedBy(id, sorted[index - 1]), sharedBy(id, sorted[index + 1]));
      return [id, id.slice(0, Math.max(SHORT_ID_MIN, shared + 1))];
    }),
  );
}

function sharedBy(id: string, other: string | undefined): number {
  let count = 0;
  while (other !== undefined && count < id.length && id[count] === other[count]) count += 1;
  return count;
}

/** `seeding (ratio 2.4)`, `stalled: no peer is known yet`. */
export function stateWords({ state, cause, ratio }: TransferView): string {
  if (state === "seeding" && cause === null && ratio !== null) {
    return `seeding (ratio ${ratio.toFixed(1)})`;
  }
  return cause === null || state === "downloading" ? state : `${state}: ${escapeOutside(cause)}`;
}

/** The lines of a table that fits the width: names are cut in the middle, states at the end. */
export function transferTable(transfers: readonly TransferView[], columns: number): string[] {
  const ids = shortIds(transfers.map(({ id }) => id));
  const rows = transfers.map((transfer) => cellsOf(transfer, ids.get(transfer.id)!));
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => columnWidth(row[column]!))),
  );
  const fixed = widths.reduce((sum, width, column) => sum + (isFree(column) ? 0 : width), 0);
  const free = columns - fixed - GAP.length * (HEAD.length - 1);
  const name = Math.min(widths[NAME]!, NAME_MAX, Math.max(NAME_MIN, free - STATE_MIN));
  widths[NAME] = name;
  widths[STATE] = Math.max(STATE_MIN, free - name);
  return [lineOf(HEAD, widths, false), ...rows.map((row) => lineOf(row, widths, true))];
}

/** The name and the state share what the figures leave. */
function isFree(column: number): boolean {
  return column === NAME || column === STATE;
}

function lineOf(row: readonly string[], widths: readonly number[], isRight: boolean): string {
  return row
    .map((cell, column) => {
      const width = widths[column]!;
      const text = column === STATE ? cutEnd(cell, width) : cutMiddle(cell, width);
      const pad = " ".repeat(Math.max(0, width - columnWidth(text)));
      return isRight && column === DONE ? pad + text : text + pad;
    })
    .join(GAP)
    .trimEnd();
}

function cutEnd(text: string, columns: number): string {
  return columnWidth(text) <= columns
    ? text
    : `${cutMiddle(text, 2 * columns).slice(0, columns - 3)}...`;
}

function cellsOf(transfer: TransferView, id: string): string[] {
  const { name, percent, down, up, peers, knownPeers, eta } = transfer;
  return [
    id,
    escapeOutside(name),
    percent === null ? "-" : `${Math.floor(percent)} %`,
    rate(down),
    rate(up),
    `${peers}/${Math.max(peers, knownPeers)}`,
    eta === null ? "-" : formatSeconds(eta),
    stateWords(transfer),
  ];
}

function rate(bytesPerSecond: number): string {
  return bytesPerSecond < 1 ? "-" : formatRate(bytesPerSecond);
}
