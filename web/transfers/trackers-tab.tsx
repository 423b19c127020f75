import { useState } from "preact/hooks";
import type { TransferTrackersView, TransferView } from "../../src/api/transfers.ts";
import { transferPath } from "../../src/api/paths.ts";
import { formatCount, formatDuration } from "../parts/format.ts";
import { type Mood, Outside, State } from "../parts/words.tsx";
import { TextDialog } from "./text-dialog.tsx";
import type { TransferActions } from "./transfer-actions.ts";
import { useAsked } from "./use-asked.ts";

const ASK_EVERY_MS = 5_000;

type Status = TransferTrackersView["trackers"][number];

/** What each tracker says, and when it is asked again. */
export function TrackersTab(props: {
  readonly transfer: TransferView;
  readonly first: TransferTrackersView;
  readonly actions: TransferActions;
}) {
  const { transfer, first, actions } = props;
  const { id } = transfer;
  const asked = useAsked<TransferTrackersView>(`${transferPath(id)}/trackers`, ASK_EVERY_MS, first);
  const [adding, setAdding] = useState(false);
  const { tiers, trackers } = asked.value ?? first;
  const rows = tiers.flatMap((urls, tier) =>
    urls.map((url) => ({ url, status: statusOf(url, tier, trackers) })),
  );
  const ask = async (): Promise<void> => {
    await actions.announce([id]);
    asked.again();
  };
  const remove = async (url: string): Promise<void> => {
    if (await actions.edit([id], { removeTrackers: [url] })) asked.again();
  };
  return (
    <section class="board" aria-labelledby="trackers-title">
      <header>
        <div>
          <h2 id="trackers-title">Trackers</h2>
          <p class="small">
            {transfer.private
              ? "It is private: peers come from its trackers only."
              : "Peers come from other peers, this network and the DHT too, as far as those are on."}
          </p>
        </div>
        <div class="row near js-only">
          <button type="button" class="btn small" onClick={() => void ask()}>
            Announce now
          </button>
          <button type="button" class="btn small" onClick={() => setAdding(true)}>
            Add a tracker
          </button>
        </div>
      </header>
      {rows.length > 0 && (
        <table role="table" class="ledger" aria-label="Trackers">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">
                Address
              </th>
              <th role="columnheader" scope="col">
                State
              </th>
              <th role="columnheader" scope="col" class="n">
                Seeds
              </th>
              <th role="columnheader" scope="col" class="n">
                Peers
              </th>
              <th role="columnheader" scope="col" class="n">
                Asked again
              </th>
              <th role="columnheader" scope="col">
                <span class="unseen">Remove</span>
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map(({ url, status }) => (
              <Row key={url} url={url} status={status} onRemove={() => void remove(url)} />
            ))}
          </tbody>
        </table>
      )}
      {rows.length === 0 && <p class="in">It names no tracker.</p>}
      {adding && (
        <TextDialog
          title="Add a tracker"
          label="Announce URL"
          help="It begins with http, https or udp."
          value=""
          choices={[]}
          word="Add"
          required
          onText={async (url) => {
            const isDone = await actions.edit([id], { addTrackers: [url] });
            if (isDone) asked.again();
            return isDone;
          }}
          onClose={() => setAdding(false)}
        />
      )}
    </section>
  );
}

/** A tracker that runs is called by scheme, host and port. */
function statusOf(url: string, tier: number, trackers: readonly Status[]): Status | undefined {
  const named = trackers.filter(({ name }) => url === name || url.startsWith(`${name}/`));
  return named.find((status) => status.tier === tier) ?? named[0];
}

const STATES: Readonly<Record<Status["state"], readonly [Mood, string]>> = {
  idle: ["wait", "Not asked yet"],
  announcing: ["wait", "Being asked"],
  working: ["good", "Answers"],
  failing: ["warn", "Fails"],
};

function Row(props: {
  readonly url: string;
  readonly status: Status | undefined;
  readonly onRemove: () => void;
}) {
  const { url, status, onRemove } = props;
  const [mood, word] = status === undefined ? (["wait", "At rest"] as const) : STATES[status.state];
  const figure = (value: number | null | undefined): string =>
    value === null || value === undefined ? "–" : formatCount(value);
  const next = status?.nextAnnounceSeconds ?? null;
  const nil = (value: number | null | undefined): string =>
    value === null || value === undefined ? "n nil" : "n";
  return (
    <tr role="row">
      <td role="cell">
        <code class="outside">{shownUrl(url)}</code>
        {status?.message !== null && status !== undefined && (
          <div class="say">
            <Outside text={status.message ?? ""} charactersMax={300} />
          </div>
        )}
      </td>
      <td role="cell">
        <State mood={mood}>{word}</State>
      </td>
      <td role="cell" class={nil(status?.seeds)} data-l="Seeds">
        {figure(status?.seeds)}
      </td>
      <td role="cell" class={nil(status?.leechers)} data-l="Peers">
        {figure(status?.leechers)}
      </td>
      <td role="cell" class={nil(next)} data-l="Asked again">
        {next === null ? "–" : next <= 0 ? "now" : `in ${formatDuration(next)}`}
      </td>
      <td role="cell" class="act">
        <button
          type="button"
          class="btn small quiet js-only"
          aria-label={`Remove ${shownUrl(url)}`}
          onClick={onRemove}
        >
          Remove
        </button>
      </td>
    </tr>
  );
}

/** Paths hold passkeys: on a shared screen they are nobody's business. */
function shownUrl(url: string): string {
  const match = /^([a-z]+:\/\/[^/?#]*)/i.exec(url);
  return match?.[1] ?? url;
}
