import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TransferView } from "../../src/api/transfers.ts";
import { transferPagePath, TRANSFERS_PAGE_PATH } from "../../src/api/paths.ts";
import { formatBytes, formatExactBytes, formatSpeed } from "../parts/format.ts";
import { PauseIcon, PlayIcon } from "../parts/icons.tsx";
import { PostForm } from "../parts/post-form.tsx";
import { Outside, State } from "../parts/words.tsx";
import type { Order, OrderKey } from "./transfer-order.ts";
import {
  barMood,
  isStopped,
  nameOf,
  remainingWords,
  shownPercent,
  stateWords,
} from "./transfer-words.ts";

/** With more rows than this each has one height, and only those in the window exist. */
export const ROWS_WHOLE_MAX = 100;
/** Rows beyond the edges of the window, so that a moving page is never white. */
const ROWS_BEYOND = 12;
const NAME_CHARACTERS_MAX = 120;

export interface TableActions {
  readonly toggle: (id: string, isRange: boolean) => void;
  readonly toggleAll: () => void;
  readonly sortBy: (key: OrderKey) => void;
  readonly start: (id: string) => void;
  readonly stop: (id: string) => void;
  readonly remove: (ids: readonly string[]) => void;
  /** Puts a transfer before another one of the queue. */
  readonly moveBefore: (id: string, before: string) => void;
  readonly moveOne: (id: string, to: "up" | "down") => void;
}

/** The transfers as a table; cards on a phone. */
export function TransferTable(props: {
  readonly rows: readonly TransferView[];
  readonly selected: ReadonlySet<string>;
  readonly order: Order;
  readonly actions: TableActions;
}) {
  const { rows, selected, order, actions } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const isDense = rows.length > ROWS_WHOLE_MAX;
  const seen = useSeenRows(body, rows.length, isDense);
  const drag = useDrag(order.key === "queue" && !order.reversed, actions.moveBefore);
  const shown = rows.slice(seen.first, seen.end);
  const allSelected = rows.length > 0 && rows.every(({ id }) => selected.has(id));
  return (
    <table
      role="table"
      class={isDense ? "ledger dense" : "ledger"}
      aria-rowcount={rows.length + 1}
      aria-label="Transfers"
    >
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>
          <th role="columnheader" scope="col" class="pick">
            <label class="js-only">
              <input
                type="checkbox"
                aria-label={`Select all ${rows.length}`}
                checked={allSelected}
                onChange={actions.toggleAll}
              />
            </label>
          </th>
          <Heading id="name" order={order} actions={actions}>
            Name and state
          </Heading>
          <Heading id="done" order={order} actions={actions}>
            Done
          </Heading>
          <Heading id="down" order={order} actions={actions} class="n">
            Down
          </Heading>
          <Heading id="up" order={order} actions={actions} class="n">
            Up
          </Heading>
          <Heading id="left" order={order} actions={actions} class="n opt">
            Left
          </Heading>
          <Heading id="peers" order={order} actions={actions} class="n">
            Peers
          </Heading>
          <Heading id="ratio" order={order} actions={actions} class="n opt">
            Ratio
          </Heading>
          <th role="columnheader" scope="col">
            <span class="unseen">Pause or resume</span>
          </th>
        </tr>
      </thead>
      <tbody
        role="rowgroup"
        ref={body}
        onKeyDown={(event) => handleKey(event, actions)}
        {...drag.place}
      >
        <Space rows={seen.first} rowPixels={seen.rowPixels} />
        {shown.map((transfer, index) => (
          <TransferRow
            key={transfer.id}
            transfer={transfer}
            index={seen.first + index}
            isSelected={selected.has(transfer.id)}
            dragClass={drag.classOf(transfer.id)}
            isDraggable={drag.isOn && transfer.finishedAt === null}
            actions={actions}
          />
        ))}
        <Space rows={rows.length - seen.end} rowPixels={seen.rowPixels} />
      </tbody>
    </table>
  );
}

function Heading(props: {
  readonly id: OrderKey;
  readonly order: Order;
  readonly actions: TableActions;
  readonly class?: string;
  readonly children: ComponentChildren;
}) {
  const { id, order, actions } = props;
  const isSorted = order.key === id;
  // Names go up from A; figures go down from the largest.
  const isRising = (id === "name" || id === "left") !== order.reversed;
  return (
    <th
      role="columnheader"
      scope="col"
      class={props.class}
      aria-sort={isSorted ? (isRising ? "ascending" : "descending") : undefined}
    >
      <button type="button" onClick={() => actions.sortBy(id)}>
        {props.children}
      </button>
    </th>
  );
}

/** Takes the room of rows that are not in the window. */
function Space(props: { readonly rows: number; readonly rowPixels: number }) {
  if (props.rows <= 0) return null;
  return (
    <tr class="space" aria-hidden="true">
      <td colSpan={9} style={{ height: `${props.rows * props.rowPixels}px` }} />
    </tr>
  );
}

function TransferRow(props: {
  readonly transfer: TransferView;
  readonly index: number;
  readonly isSelected: boolean;
  readonly isDraggable: boolean;
  readonly dragClass: string | undefined;
  readonly actions: TableActions;
}) {
  const { transfer, index, isSelected, actions } = props;
  const { id, size, down, up, eta, peers, knownPeers, ratio } = transfer;
  const { mood, word, why } = stateWords(transfer);
  const percent = shownPercent(transfer);
  return (
    <tr
      role="row"
      data-id={id}
      class={props.dragClass}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      draggable={props.isDraggable}
    >
      <td role="cell" class="pick">
        <label class="js-only">
          <input
            type="checkbox"
            aria-label={`Select ${nameOf(transfer)}`}
            checked={isSelected}
            onClick={(event) => actions.toggle(id, event.shiftKey)}
          />
        </label>
      </td>
      <td role="cell" class="grow">
        <a class="name" href={transferPagePath(id)}>
          <Outside text={nameOf(transfer)} charactersMax={NAME_CHARACTERS_MAX} />
        </a>
        <div class="say">
          <State mood={mood}>{word}</State>
          <Outside text={why} />
        </div>
      </td>
      <td role="cell" class="bar-cell">
        <progress
          class={`thin ${barMood(transfer)}`}
          value={percent}
          max={100}
          aria-label={`${percent} % done`}
        />
        <div>
          <b>{percent} %</b>
          {size === null ? (
            <span>size unknown</span>
          ) : (
            <span title={formatExactBytes(size)}>{formatBytes(size)}</span>
          )}
        </div>
      </td>
      <Figure label="Down">{down > 0 && formatSpeed(down)}</Figure>
      <Figure label="Up">{up > 0 && formatSpeed(up)}</Figure>
      <Figure label="Left" optional>
        {eta !== null && remainingWords(eta)}
      </Figure>
      <Figure label="Peers">
        {(peers > 0 || knownPeers > 0) && `${peers} of ${Math.max(peers, knownPeers)}`}
      </Figure>
      <Figure label="Ratio" optional>
        {ratio !== null && ratio.toFixed(2)}
      </Figure>
      <td role="cell" class="act one">
        <StartOrStop transfer={transfer} actions={actions} />
      </td>
    </tr>
  );
}

function Figure(props: {
  readonly label: string;
  readonly optional?: boolean;
  readonly children: string | false;
}) {
  const { label, optional, children } = props;
  const classes = `n${optional === true ? " opt" : ""}${children === false ? " nil" : ""}`;
  return (
    <td role="cell" class={classes} data-l={label}>
      {children === false ? "–" : children}
    </td>
  );
}

function StartOrStop(props: { readonly transfer: TransferView; readonly actions: TableActions }) {
  const { transfer, actions } = props;
  const { id, state } = transfer;
  if (state === "removing") return null;
  const command = isStopped(transfer) ? "start" : "stop";
  const word = command === "stop" ? "Pause" : state === "failed" ? "Try again" : "Resume";
  return (
    <PostForm
      action={`${TRANSFERS_PAGE_PATH}/${id}/${command}`}
      onSubmit={(event) => {
        event.preventDefault();
        actions[command](id);
      }}
    >
      <input type="hidden" name="back" value="list" />
      <button class="btn small icon quiet" aria-label={`${word} ${nameOf(transfer)}`} title={word}>
        {command === "stop" ? <PauseIcon /> : <PlayIcon />}
      </button>
    </PostForm>
  );
}

/** Space pauses or resumes the row with the focus, x selects it, Delete removes it, Alt and an arrow move it. */
function handleKey(event: KeyboardEvent, actions: TableActions): void {
  const { target, key } = event;
  if (!(target instanceof HTMLElement) || event.ctrlKey || event.metaKey) return;
  const row = target.closest<HTMLElement>("tr[data-id]");
  const id = row?.dataset["id"];
  if (row === null || id === undefined) return;
  // A button or a box does with the space bar what it always does.
  const isName = target.matches(".name");
  if (key === " " && isName) row.querySelector<HTMLButtonElement>(".act button")?.click();
  else if (key === "x") actions.toggle(id, false);
  else if (key === "Delete") actions.remove([id]);
  else if (event.altKey && key === "ArrowUp") actions.moveOne(id, "up");
  else if (event.altKey && key === "ArrowDown") actions.moveOne(id, "down");
  else return;
  event.preventDefault();
}

interface SeenRows {
  readonly first: number;
  /** The row after the last. */
  readonly end: number;
  readonly rowPixels: number;
}

/** The rows that are in the window or near it. */
function useSeenRows(
  body: { readonly current: HTMLTableSectionElement | null },
  count: number,
  isDense: boolean,
): SeenRows {
  // What the server renders, and the browser first: the top of the list.
  const [seen, setSeen] = useState<SeenRows>({ first: 0, end: ROWS_WHOLE_MAX, rowPixels: 60 });
  useEffect(() => {
    if (!isDense) return undefined;
    let frame = 0;
    const look = (): void => {
      frame = 0;
      const { current } = body;
      const row = current?.querySelector("tr[data-id]");
      if (!current || !row) return;
      const rowPixels = row.getBoundingClientRect().height;
      const above = -current.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(above / rowPixels) - ROWS_BEYOND);
      const end = Math.min(count, Math.ceil((above + innerHeight) / rowPixels) + ROWS_BEYOND);
      setSeen((old) =>
        old.first === first && old.end === end && old.rowPixels === rowPixels
          ? old
          : { first: Math.min(first, count), end: Math.max(end, 0), rowPixels },
      );
    };
    const lookSoon = (): void => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    addEventListener("scroll", lookSoon, { passive: true });
    addEventListener("resize", lookSoon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", lookSoon);
      removeEventListener("resize", lookSoon);
    };
  }, [count, isDense]);
  return isDense ? seen : { first: 0, end: count, rowPixels: 0 };
}

/** Rows of the queue go to another place by drag and drop. */
function useDrag(isOn: boolean, moveBefore: TableActions["moveBefore"]) {
  const [dragged, setDragged] = useState<string | undefined>();
  const [over, setOver] = useState<string | undefined>();
  const rowOf = (event: DragEvent): string | undefined =>
    event.target instanceof Element
      ? event.target.closest<HTMLElement>("tr[data-id]")?.dataset["id"]
      : undefined;
  const end = (): void => {
    setDragged(undefined);
    setOver(undefined);
  };
  const place = {
    onDragStart: (event: DragEvent): void => {
      const id = rowOf(event);
      setDragged(id);
      // Firefox drags nothing without data.
      event.dataTransfer?.setData("application/x-everseed-transfer", id ?? "");
    },
    onDragOver: (event: DragEvent): void => {
      if (dragged === undefined) return;
      event.preventDefault();
      setOver(rowOf(event));
    },
    onDrop: (event: DragEvent): void => {
      const before = rowOf(event);
      if (dragged === undefined || before === undefined) return;
      event.preventDefault();
      if (before !== dragged) moveBefore(dragged, before);
      end();
    },
    onDragEnd: end,
  };
  const classOf = (id: string): string | undefined => {
    if (id === dragged) return "dragged";
    return id === over && dragged !== undefined ? "over" : undefined;
  };
  return { isOn, place: isOn ? place : {}, classOf };
}
