import { useEffect, useState } from "preact/hooks";
import {
  TRANSFER_TABS,
  type TransferPage,
  type TransferTab,
} from "../../src/api/transfer-pages.ts";
import type { TransferView as Transfer } from "../../src/api/transfers.ts";
import { transferPagePath, transferPath, TRANSFERS_PAGE_PATH } from "../../src/api/paths.ts";
import { Copy } from "../parts/copy.tsx";
import { formatBytes, formatExactBytes, formatSpeed } from "../parts/format.ts";
import { MoreIcon, PauseIcon, PlayIcon } from "../parts/icons.tsx";
import { PostForm } from "../parts/post-form.tsx";
import { Outside, State, When } from "../parts/words.tsx";
import type { Asking } from "../transfers/action-dialogs.tsx";
import { FilesTab } from "../transfers/files-tab.tsx";
import { useDialogs } from "../transfers/later-dialogs.ts";
import { LogTab } from "../transfers/log-tab.tsx";
import { PeersTab } from "../transfers/peers-tab.tsx";
import { PieceMap } from "../transfers/piece-map.tsx";
import { SpeedGraph } from "../transfers/speed-graph.tsx";
import { ToastPlace, Toasts } from "../transfers/toasts.tsx";
import { TrackersTab } from "../transfers/trackers-tab.tsx";
import { TransferActions } from "../transfers/transfer-actions.ts";
import { TransferStore } from "../transfers/transfer-store.ts";
import {
  isStopped,
  remainingWords,
  shownPercent,
  stateWords,
} from "../transfers/transfer-words.ts";
import { useStore } from "../transfers/use-store.ts";

const TAB_WORDS: Readonly<Record<TransferTab, string>> = {
  overview: "Overview",
  files: "Files",
  peers: "Peers",
  trackers: "Trackers",
  log: "Log",
};

/** One transfer: what it does, and its parts. */
export function TransferView(props: { readonly model: TransferPage }) {
  const { model } = props;
  const [{ store, toasts, actions }] = useState(() => {
    const { transfer: shown } = model;
    const made = { store: new TransferStore([shown], false, shown.id), toasts: new Toasts() };
    return { ...made, actions: new TransferActions(made.store, made.toasts) };
  });
  useStore(store);
  const dialogs = useDialogs();
  const [asking, setAsking] = useState<Asking | undefined>();
  const [tab, goTo] = useTab(model);
  const transfer = store.get(model.transfer.id) ?? model.transfer;
  const { id } = transfer;
  return (
    <div class="stack">
      {store.isPaused && (
        <div class="paused" role="status">
          Live data paused, trying again in 3 s
        </div>
      )}
      <Head transfer={transfer} actions={actions} onMore={() => setAsking("more")} />
      <nav class="tabbar" aria-label="About this transfer">
        {TRANSFER_TABS.map((each) => (
          <a
            key={each}
            href={transferPagePath(id, each === "overview" ? undefined : each)}
            aria-current={tab === each ? "page" : undefined}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              goTo(each);
            }}
          >
            {TAB_WORDS[each]}
            {each === "peers" && transfer.peers > 0 && <span class="count">{transfer.peers}</span>}
          </a>
        ))}
      </nav>
      {tab === "overview" && <Overview transfer={transfer} onChange={() => setAsking("limits")} />}
      {tab === "files" && <FilesTab transfer={transfer} first={model.files} actions={actions} />}
      {tab === "peers" && <PeersTab transfer={transfer} first={model.peers} actions={actions} />}
      {tab === "trackers" && (
        <TrackersTab transfer={transfer} first={model.trackers} actions={actions} />
      )}
      {tab === "log" && <LogTab transfer={transfer} first={model.log} />}
      {dialogs && asking && (
        <dialogs.ActionDialog
          key={asking}
          asking={asking}
          transfers={[transfer]}
          actions={actions}
          status={model.status}
          labels={[]}
          onAsk={setAsking}
          onRemoved={() => location.assign(TRANSFERS_PAGE_PATH)}
          onClose={() => setAsking((now) => (now === asking ? undefined : now))}
        />
      )}
      <ToastPlace toasts={toasts} />
    </div>
  );
}

/** The tab that the address names; another one is no new page. */
function useTab(model: TransferPage): [TransferTab, (tab: TransferTab) => void] {
  const [tab, setTab] = useState(model.tab);
  useEffect(() => {
    const follow = (): void => {
      const last = location.pathname.split("/")[3] ?? "overview";
      setTab(TRANSFER_TABS.find((each) => each === last) ?? "overview");
    };
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  return [
    tab,
    (next) => {
      history.pushState(
        null,
        "",
        transferPagePath(model.transfer.id, next === "overview" ? undefined : next),
      );
      setTab(next);
    },
  ];
}

function Overview(props: { readonly transfer: Transfer; readonly onChange: () => void }) {
  const { transfer, onChange } = props;
  const { id, down, up } = transfer;
  return (
    <div class="two">
      <div class="stack">
        <SpeedGraph path={`${transferPath(id)}/speed`} down={down} up={up} />
        <section class="card js-only" aria-labelledby="pieces-title">
          <h2 id="pieces-title">Pieces</h2>
          <PieceMap id={id} />
        </section>
      </div>
      <aside class="stack">
        <Figures transfer={transfer} />
        <Settings transfer={transfer} onChange={onChange} />
        <Details transfer={transfer} />
      </aside>
    </div>
  );
}

function Head(props: {
  readonly transfer: Transfer;
  readonly actions: TransferActions;
  readonly onMore: () => void;
}) {
  const { transfer, actions, onMore } = props;
  const { id, name, size, done, percent } = transfer;
  const { mood, word, why } = stateWords(transfer);
  const command = isStopped(transfer) ? "start" : "stop";
  return (
    <div class="stack close">
      <div class="page-head">
        <div>
          <p class="small">
            <a href={TRANSFERS_PAGE_PATH}>Transfers</a>
          </p>
          <h1>
            <Outside text={name} />
          </h1>
          <div class="say">
            <State mood={mood}>{word}</State>
            <Outside text={why} /> <span class="num">{paceWords(transfer)}</span>
          </div>
        </div>
        <div class="row near">
          <PostForm
            action={`${TRANSFERS_PAGE_PATH}/${id}/${command}`}
            onSubmit={(event) => {
              event.preventDefault();
              void actions[command]([id]);
            }}
          >
            <button class="btn">
              {command === "stop" ? <PauseIcon /> : <PlayIcon />}
              {command === "stop" ? "Pause" : "Resume"}
            </button>
          </PostForm>
          <button
            type="button"
            class="btn icon js-only"
            aria-label="More: check, move, limit, remove"
            onClick={onMore}
          >
            <MoreIcon />
          </button>
          <PostForm class="without-js" action={`${TRANSFERS_PAGE_PATH}/${id}/remove`}>
            <button class="btn">Remove, keep the files</button>
          </PostForm>
        </div>
      </div>
      <div class="stack tight">
        <progress
          value={shownPercent(transfer)}
          max={100}
          aria-label={`${shownPercent(transfer)} % done`}
        />
        <div class="row apart small num">
          <span>
            <strong>{percent === null ? "0 %" : `${percent.toFixed(1)} %`}</strong>
            {size !== null && `, ${formatBytes(done)} of ${formatBytes(size)}`}
          </span>
          {size !== null && done < size && <span>{formatBytes(size - done)} to go</span>}
        </div>
      </div>
    </div>
  );
}

function paceWords({ down, up, eta, peers, knownPeers }: Transfer): string {
  return [
    down > 0 && formatSpeed(down),
    eta !== null && `${remainingWords(eta)} left`,
    up > 0 && `up ${formatSpeed(up)}`,
    knownPeers > 0 && `${peers} of ${knownPeers} peers`,
  ]
    .filter((word) => word !== false)
    .join(" · ");
}

function Figures({ transfer }: { readonly transfer: Transfer }) {
  const { downloaded, uploaded, ratio, seeds, addedAt, finishedAt, activeAt } = transfer;
  return (
    <section class="card">
      <h2>Figures</h2>
      <dl class="facts">
        <dt>Received</dt>
        <dd title={formatExactBytes(downloaded)}>{formatBytes(downloaded)}</dd>
        <dt>Sent</dt>
        <dd title={formatExactBytes(uploaded)}>{formatBytes(uploaded)}</dd>
        <dt>Ratio</dt>
        <dd>{ratio === null ? "unknown" : ratio.toFixed(2)}</dd>
        <dt>Seeds connected</dt>
        <dd>{seeds}</dd>
        <dt>Added</dt>
        <dd>
          <When at={addedAt} />
        </dd>
        <dt>Complete</dt>
        <dd>
          <When at={finishedAt} never="not yet" />
        </dd>
        <dt>Last byte</dt>
        <dd>
          <When at={activeAt} />
        </dd>
      </dl>
    </section>
  );
}

function Settings(props: { readonly transfer: Transfer; readonly onChange: () => void }) {
  const { folder, downLimit, upLimit, label, sequential, shareLimits } = props.transfer;
  const ratio = shareLimits?.ratio;
  const limits = [
    downLimit > 0 && `down ${formatSpeed(downLimit)}`,
    upLimit > 0 && `up ${formatSpeed(upLimit)}`,
  ].filter((word) => word !== false);
  return (
    <section class="card">
      <h2>Settings</h2>
      <dl class="facts">
        <dt>Saved to</dt>
        <dd>
          <Outside text={folder} />
        </dd>
        <dt>Limits</dt>
        <dd>{limits.length === 0 ? "none of its own" : limits.join(", ")}</dd>
        <dt>Seeding</dt>
        <dd>
          {ratio === undefined ? "as for all" : ratio === 0 ? "no end" : `until ratio ${ratio}`}
        </dd>
        <dt>Order</dt>
        <dd>{sequential ? "from the beginning" : "rarest first"}</dd>
        <dt>Label</dt>
        <dd>{label === null ? "none" : <Outside text={label} />}</dd>
      </dl>
      <button type="button" class="link js-only" onClick={props.onChange}>
        Change the limits
      </button>
    </section>
  );
}

function Details({ transfer }: { readonly transfer: Transfer }) {
  const { infohashV1, infohashV2 } = transfer;
  const kind = infohashV1 === null ? "v2" : infohashV2 === null ? "v1" : "hybrid, v1 and v2";
  return (
    <section class="card stack close">
      <h2>Details</h2>
      <dl class="facts">
        <dt>Kind</dt>
        <dd>{kind}</dd>
        <dt>Private</dt>
        <dd>{transfer.private ? "yes" : "no"}</dd>
      </dl>
      {infohashV1 !== null && <Copy text={infohashV1} what="infohash (v1)" line />}
      {infohashV2 !== null && <Copy text={infohashV2} what="infohash (v2)" line />}
    </section>
  );
}
