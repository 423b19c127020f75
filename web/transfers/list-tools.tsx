import { TRANSFERS_PAGE_PATH } from "../../src/api/paths.ts";
import { formatCount, plural } from "../parts/format.ts";
import { ORDERS, type Order, type OrderKey, SHOWN, type Shown } from "./transfer-order.ts";

export interface ListView {
  readonly shown: Shown;
  readonly search: string;
  readonly label: string | null;
  readonly order: Order;
}

/** What the server can choose without a script, by the chip. */
const WITHOUT_SCRIPT: Readonly<Partial<Record<Shown, string>>> = {
  all: "",
  downloading: "?show=unfinished",
  seeding: "?show=finished",
  paused: "?show=stopped",
  needs: "?show=failed",
};

/** Finds and filters the list, and orders it. */
export function ListTools(props: {
  readonly total: number;
  /** By chip; absent until all transfers are known. */
  readonly counts: ReadonlyMap<Shown, number> | undefined;
  readonly labels: readonly string[];
  readonly view: ListView;
  readonly onView: (change: Partial<ListView>) => void;
}) {
  const { total, counts, labels, view, onView } = props;
  const find = `Find in ${plural(total, "transfer")}`;
  const word = (shown: Shown, name: string): string =>
    counts === undefined ? name : `${name} ${formatCount(counts.get(shown) ?? 0)}`;
  const isWorthShowing = (shown: Shown): boolean =>
    counts === undefined
      ? shown in WITHOUT_SCRIPT
      : shown === view.shown || shown === "all" || (counts.get(shown) ?? 0) > 0;
  const chips = SHOWN.filter(([shown]) => isWorthShowing(shown));
  return (
    <div class="tools">
      <input
        class="js-only"
        type="search"
        aria-label={find}
        placeholder={find}
        value={view.search}
        onInput={(event) => onView({ search: event.currentTarget.value })}
      />
      <nav class="chips" aria-label="Show">
        {chips.map(([shown, name]) => (
          <a
            key={shown}
            href={`${TRANSFERS_PAGE_PATH}${WITHOUT_SCRIPT[shown] ?? ""}`}
            aria-current={view.shown === shown ? "true" : undefined}
            onClick={(event) => {
              event.preventDefault();
              onView({ shown });
            }}
          >
            {word(shown, name)}
          </a>
        ))}
        {labels.length > 0 && <Labels labels={labels} view={view} onView={onView} />}
      </nav>
      <div class="pair js-only">
        <select
          aria-label="Show"
          value={view.shown}
          onChange={(event) => onView({ shown: event.currentTarget.value as Shown })}
        >
          {chips.map(([shown, name]) => (
            <option key={shown} value={shown}>
              {word(shown, name)}
            </option>
          ))}
        </select>
        <OrderChoice view={view} onView={onView} />
      </div>
    </div>
  );
}

function Labels(props: {
  readonly labels: readonly string[];
  readonly view: ListView;
  readonly onView: (change: Partial<ListView>) => void;
}) {
  const { labels, view, onView } = props;
  return (
    <select
      class="js-only small"
      aria-label="Label"
      value={view.label ?? ""}
      onChange={(event) => onView({ label: event.currentTarget.value || null })}
    >
      <option value="">Any label</option>
      {labels.map((label) => (
        <option key={label} value={label}>
          {label}
        </option>
      ))}
    </select>
  );
}

export function OrderChoice(props: {
  readonly view: ListView;
  readonly onView: (change: Partial<ListView>) => void;
}) {
  return (
    <select
      aria-label="Sort by"
      value={props.view.order.key}
      onChange={(event) => {
        const key = event.currentTarget.value as OrderKey;
        props.onView({ order: { key, reversed: false } });
      }}
    >
      {ORDERS.map(([key, name]) => (
        <option key={key} value={key}>
          {name}
        </option>
      ))}
    </select>
  );
}
