import { useEffect, useMemo, useState } from "preact/hooks";
import type { TransfersPage } from "../../src/api/transfer-pages.ts";
import type { TransferSettingsView, TransferStatus } from "../../src/api/transfers.ts";
import { TRANSFER_STATUS_PATH, TRANSFERS_PAGE_PATH } from "../../src/api/paths.ts";
import { MAGNET_CHARACTERS_MAX } from "../../src/api/source-limits.ts";
import { askHub } from "../client/hub.ts";
import { Field, Problem } from "../parts/form.tsx";
import { PauseIcon, PlayIcon, PlusIcon } from "../parts/icons.tsx";
import { PostForm } from "../parts/post-form.tsx";
import type { Asking } from "../transfers/action-dialogs.tsx";
import { BulkBar } from "../transfers/bulk-bar.tsx";
import { Gauges } from "../transfers/gauges.tsx";
import { type GivenSource, sourceIn } from "../transfers/given-source.ts";
import { useDialogs } from "../transfers/later-dialogs.ts";
import { type ListView, ListTools, OrderChoice } from "../transfers/list-tools.tsx";
import { MagnetHandler } from "../transfers/magnet-handler.tsx";
import { ToastPlace, Toasts } from "../transfers/toasts.tsx";
import { TransferActions } from "../transfers/transfer-actions.ts";
import { chosenTransfers, countsOf, type Shown } from "../transfers/transfer-order.ts";
import { TransferStore } from "../transfers/transfer-store.ts";
import { type TableActions, TransferTable } from "../transfers/transfer-table.tsx";
import { isStopped } from "../transfers/transfer-words.ts";
import { useStore } from "../transfers/use-store.ts";

/** Free space and the schedule change slowly. */
const STATUS_EVERY_MS = 30_000;

/** The chip of a choice that the server made. */
const CHIPS: Readonly<Record<TransfersPage["show"], Shown>> = {
  all: "all",
  unfinished: "downloading",
  finished: "seeding",
  stopped: "paused",
  failed: "needs",
};

/** The torrents that this node keeps for its owner. */
export function TransfersView(props: { readonly model: TransfersPage }) {
  const { model } = props;
  const { list } = model;
  const isWhole = list.transfers.length === list.counts.all;
  const [{ store, toasts, actions }] = useState(() => {
    const made = { store: new TransferStore(list.transfers, isWhole), toasts: new Toasts() };
    return { ...made, actions: new TransferActions(made.store, made.toasts) };
  });
  useStore(store);
  const dialogs = useDialogs();
  const [status, setStatus] = useStatus(model.status);
  const [settings, setSettings] = useState(model.settings);
  const [view, setView] = useState<ListView>({
    shown: CHIPS[model.show],
    search: "",
    label: null,
    order: { key: "needs", reversed: false },
  });
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [anchor, setAnchor] = useState<string | undefined>();
  const [asking, setAsking] = useState<{ what: Asking; ids: readonly string[] } | undefined>();
  const [adding, setAdding] = useState<GivenSource | undefined>();
  const [limiting, setLimiting] = useState(false);
  const isDraggedOver = useGivenSource(setAdding);
  useEffect(() => {
    if (model.source !== "") setAdding({ text: model.source, files: [] });
    // A reload must not ask again.
    if (location.search.includes("add=")) history.replaceState(null, "", TRANSFERS_PAGE_PATH);
  }, []);

  const { all } = store;
  // The server has chosen already, and its choice is not exactly that of a chip.
  const shown = store.isWhole || view.shown !== CHIPS[model.show] ? view.shown : "all";
  const rows = useMemo(() => chosenTransfers(all, { ...view, shown }), [all, view, shown]);
  const labels = useMemo(() => labelsOf(all, settings), [all, settings]);
  const chosen = all.filter(({ id }) => selected.has(id));
  const changeView = (change: Partial<ListView>): void => {
    setView((old) => ({ ...old, ...change }));
    setSelected(new Set());
  };

  const tableActions: TableActions = {
    toggle: (id, isRange) => {
      const from = anchor === undefined ? -1 : rows.findIndex((row) => row.id === anchor);
      const to = rows.findIndex((row) => row.id === id);
      const next = new Set(selected);
      const isAdded = !next.has(id);
      const [first, last] =
        isRange && from !== -1 ? [Math.min(from, to), Math.max(from, to)] : [to, to];
      for (const row of rows.slice(first, last + 1)) {
        if (isAdded) next.add(row.id);
        else next.delete(row.id);
      }
      setAnchor(id);
      setSelected(next);
    },
    toggleAll: () => {
      const hasAll = rows.every(({ id }) => selected.has(id));
      setSelected(new Set(hasAll ? [] : rows.map(({ id }) => id)));
    },
    sortBy: (key) => {
      const reversed = view.order.key === key && !view.order.reversed;
      setView((old) => ({ ...old, order: { key, reversed } }));
    },
    start: (id) => void actions.start([id]),
    stop: (id) => void actions.stop([id]),
    remove: (ids) =>
      setAsking({ what: "remove", ids: selected.has(ids[0]!) ? [...selected] : ids }),
    moveBefore: (id, before) => {
      const ids = selected.has(id) ? [...selected] : [id];
      void actions.moveInQueue(ids, { before });
    },
    moveOne: (id, to) => void actions.moveInQueue([id], to),
  };
  const asked = asking?.ids.flatMap((id) => store.get(id) ?? []) ?? [];
  const allStopped = all.length > 0 && all.every(isStopped);
  const toStart = all.filter(({ reason, state }) => state === "paused" && reason === "asked");

  return (
    <div class="stack">
      <div class="page-head">
        <div>
          <h1>Transfers</h1>
        </div>
        <div class="row js-only">
          {all.length > 0 &&
            (allStopped ? (
              <button
                type="button"
                class="btn"
                onClick={() => void actions.start(toStart.map(({ id }) => id))}
                disabled={toStart.length === 0}
              >
                <PlayIcon /> Resume all
              </button>
            ) : (
              <button
                type="button"
                class="btn"
                disabled={!store.isWhole}
                onClick={() =>
                  void actions.stop(all.filter((each) => !isStopped(each)).map(({ id }) => id))
                }
              >
                <PauseIcon /> Pause all
              </button>
            ))}
          <button type="button" class="btn main" onClick={() => setAdding({ text: "", files: [] })}>
            <PlusIcon /> Add
          </button>
        </div>
      </div>
      {store.isPaused && (
        <div class="paused" role="status">
          Live data paused, trying again in 3 s
        </div>
      )}
      <div class={store.isPaused ? "stack stale" : "stack"}>
        <Gauges all={all} status={status} settings={settings} onChange={() => setLimiting(true)} />
        {list.counts.all === 0 && all.length === 0 ? (
          <Empty onAdd={() => setAdding({ text: "", files: [] })} />
        ) : (
          <div class="stack close">
            <ListTools
              total={Math.max(all.length, store.isWhole ? 0 : list.counts.all)}
              counts={store.isWhole ? countsOf(all) : undefined}
              labels={labels}
              view={view}
              onView={changeView}
            />
            <section class="board" aria-label="List of transfers">
              {chosen.length > 0 && (
                <BulkBar
                  chosen={chosen}
                  actions={actions}
                  onAsk={(what) => setAsking({ what, ids: chosen.map(({ id }) => id) })}
                  onClear={() => setSelected(new Set())}
                />
              )}
              {rows.length === 0 ? (
                <p class="in">
                  {all.length === 0 ? "No transfers are left. " : "None of them is like that. "}
                  {all.length > 0 && (
                    <button
                      type="button"
                      class="link js-only"
                      onClick={() => changeView({ shown: "all", search: "", label: null })}
                    >
                      Show all
                    </button>
                  )}
                </p>
              ) : (
                <TransferTable
                  rows={rows}
                  selected={selected}
                  order={view.order}
                  actions={tableActions}
                />
              )}
              <footer>
                <div class="row apart">
                  <span class="js-only">
                    Drop a .torrent anywhere on this page, or paste a magnet link. <MagnetHandler />
                  </span>
                  <label class="order js-only">
                    <span>Sort by</span>
                    <OrderChoice view={view} onView={changeView} />
                  </label>
                  {list.next !== null && (
                    <a class="without-js" href={`${TRANSFERS_PAGE_PATH}?after=${list.next}`}>
                      Next
                    </a>
                  )}
                </div>
              </footer>
            </section>
          </div>
        )}
      </div>
      <PlainForm model={model} />
      {isDraggedOver && <div class="drop-veil">Let go to add it</div>}
      {dialogs && adding && (
        <dialogs.AddDialog
          key={`${adding.text} ${adding.files.length}`}
          given={adding}
          status={status}
          labels={labels}
          onAdded={(added) => {
            for (const transfer of added) store.put(transfer);
          }}
          onClose={() => setAdding(undefined)}
        />
      )}
      {dialogs && limiting && (
        <dialogs.LimitsDialog
          settings={settings}
          onSaved={(saved) => {
            setSettings(saved);
            void setStatus();
          }}
          onClose={() => setLimiting(false)}
        />
      )}
      {dialogs && asking && asked.length > 0 && (
        <dialogs.ActionDialog
          key={asking.what}
          asking={asking.what}
          transfers={asked}
          actions={actions}
          status={status}
          labels={labels}
          onAsk={(what) => setAsking({ ...asking, what })}
          onRemoved={() => setSelected(new Set())}
          // Another question may have taken its place.
          onClose={() => setAsking((now) => (now?.what === asking.what ? undefined : now))}
        />
      )}
      <ToastPlace toasts={toasts} />
    </div>
  );
}

function Empty(props: { readonly onAdd: () => void }) {
  return (
    <div class="empty">
      <h2>No transfers yet</h2>
      <p>
        Take something from the catalogue, or bring a magnet link or a .torrent file of your own.
      </p>
      <button type="button" class="btn js-only" onClick={props.onAdd}>
        Add the first one
      </button>
      <a class="btn quiet" href="/help">
        What is a magnet link?
      </a>
    </div>
  );
}

/** Adding without a script. */
function PlainForm({ model }: { readonly model: TransfersPage }) {
  return (
    <section class="card without-js" aria-labelledby="add-title">
      <h2 id="add-title">Add a transfer</h2>
      <PostForm class="form" action={`${TRANSFERS_PAGE_PATH}/add`}>
        <Problem problem={model.problem} />
        <Field
          id="source"
          name="source"
          label="Magnet link, address or infohash"
          defaultValue={model.source}
          problem={model.problem}
          maxLength={MAGNET_CHARACTERS_MAX}
          autocomplete="off"
          required
        />
        <Field
          id="folder"
          name="folder"
          label="Save to"
          help={`A whole path; empty is ${model.status.folder}.`}
          problem={model.problem}
          autocomplete="off"
        />
        <button class="btn main">Add</button>
      </PostForm>
    </section>
  );
}

/** What is around the transfers, asked for now and then. */
function useStatus(first: TransferStatus): [TransferStatus, () => Promise<void>] {
  const [status, setStatus] = useState(first);
  const ask = async (): Promise<void> => {
    if (document.visibilityState !== "visible") return;
    try {
      setStatus(await askHub<TransferStatus>("GET", TRANSFER_STATUS_PATH));
    } catch (error) {
      // The stream of news says that the node does not answer.
      console.debug("the disks could not be asked for", error);
    }
  };
  useEffect(() => {
    const timer = setInterval(() => void ask(), STATUS_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return [status, ask];
}

/** Takes torrents that are pasted or dropped anywhere on the page. @returns True while something is dragged over it. */
function useGivenSource(onGiven: (given: GivenSource) => void): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const isForUs = ({ dataTransfer }: DragEvent): boolean =>
      dataTransfer !== null &&
      !dataTransfer.types.includes("application/x-everseed-transfer") &&
      (dataTransfer.types.includes("Files") || dataTransfer.types.includes("text/uri-list"));
    const enter = (event: DragEvent): void => {
      if (!isForUs(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (): void => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const allow = (event: DragEvent): void => {
      if (isForUs(event)) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      depth = 0;
      setOver(false);
      if (!isForUs(event)) return;
      event.preventDefault();
      const given = sourceIn(event.dataTransfer);
      if (given !== undefined) onGiven(given);
    };
    const paste = (event: ClipboardEvent): void => {
      const { target } = event;
      if (target instanceof HTMLElement && target.matches("input, textarea")) return;
      const given = sourceIn(event.clipboardData);
      if (given === undefined) return;
      event.preventDefault();
      onGiven(given);
    };
    addEventListener("dragenter", enter);
    addEventListener("dragleave", leave);
    addEventListener("dragover", allow);
    addEventListener("drop", drop);
    addEventListener("paste", paste);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragleave", leave);
      removeEventListener("dragover", allow);
      removeEventListener("drop", drop);
      removeEventListener("paste", paste);
    };
  }, []);
  return isOver;
}

/** The labels of transfers, and those with settings of their own. */
function labelsOf(
  all: readonly { readonly label: string | null }[],
  settings: TransferSettingsView,
): string[] {
  const labels = new Set(Object.keys(settings.labels));
  for (const { label } of all) if (label !== null) labels.add(label);
  return [...labels].toSorted((a, b) => a.localeCompare(b, "en"));
}
