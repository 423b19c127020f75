import { useState } from "preact/hooks";
import type { TransferPage } from "../../src/api/transfer-pages.ts";
import type { TransferView as Transfer } from "../../src/api/transfers.ts";
import { TRANSFERS_PAGE_PATH } from "../../src/api/paths.ts";
import { formatBytes, formatExactBytes, formatSpeed } from "../parts/format.ts";
import { PauseIcon, PlayIcon } from "../parts/icons.tsx";
import { PostForm } from "../parts/post-form.tsx";
import { Outside, State, When } from "../parts/words.tsx";
import { ToastPlace, Toasts } from "../transfers/toasts.tsx";
import { TransferActions } from "../transfers/transfer-actions.ts";
import { TransferStore } from "../transfers/transfer-store.ts";
import {
  isStopped,
  remainingWords,
  shownPercent,
  stateWords,
} from "../transfers/transfer-words.ts";
import { useStore } from "../transfers/use-store.ts";

/** One transfer: what it does, and its parts. */
export function TransferView(props: { readonly model: TransferPage }) {
  const { model } = props;
  const [{ store, toasts, actions }] = useState(() => {
    const made = { store: new TransferStore([model.transfer], false), toasts: new Toasts() };
    return { ...made, actions: new TransferActions(made.store, made.toasts) };
  });
  useStore(store);
  const transfer = store.get(model.transfer.id) ?? model.transfer;
  return (
    <div class="stack">
      <Head transfer={transfer} actions={actions} />
      <div class="half">
        <Figures transfer={transfer} />
        <Settings transfer={transfer} />
      </div>
      <ToastPlace toasts={toasts} />
    </div>
  );
}

function Head(props: { readonly transfer: Transfer; readonly actions: TransferActions }) {
  const { transfer, actions } = props;
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
            <span class="num">{paceWords(transfer)}</span> <Outside text={why} />
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

function Settings({ transfer }: { readonly transfer: Transfer }) {
  const { folder, downLimit, upLimit, label } = transfer;
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
        <dt>Label</dt>
        <dd>{label === null ? "none" : <Outside text={label} />}</dd>
      </dl>
    </section>
  );
}
