import { useState } from "preact/hooks";
import type { TransferPeersView, TransferView } from "../../src/api/transfers.ts";
import { transferPath } from "../../src/api/paths.ts";
import { formatCount, formatSpeed, plural } from "../parts/format.ts";
import { encryptionWords, sourceWords, transportWords } from "../parts/peer-words.ts";
import { type Mood, Outside, State } from "../parts/words.tsx";
import { TextDialog } from "./text-dialog.tsx";
import type { TransferActions } from "./transfer-actions.ts";
import { useAsked } from "./use-asked.ts";

const ASK_EVERY_MS = 3_000;
const PEERS_SHOWN_MAX = 50;

type Peer = TransferPeersView["peers"][number];

/** What each peer gives and takes, and what the words for it mean. */
export function PeersTab(props: {
  readonly transfer: TransferView;
  readonly first: TransferPeersView["peers"];
  readonly actions: TransferActions;
}) {
  const { transfer, first, actions } = props;
  const { id } = transfer;
  const { value } = useAsked<TransferPeersView>(`${transferPath(id)}/peers`, ASK_EVERY_MS, {
    peers: first,
  });
  const [showsAll, setShowsAll] = useState(false);
  const [naming, setNaming] = useState(false);
  const peers = (value?.peers ?? first).toSorted(byTraffic);
  const shown = showsAll ? peers : peers.slice(0, PEERS_SHOWN_MAX);
  return (
    <>
      <section class="board" aria-labelledby="peers-title">
        <header>
          <div>
            <h2 id="peers-title">
              {formatCount(peers.length)} connected of{" "}
              {formatCount(Math.max(transfer.knownPeers, peers.length))} known
            </h2>
            <p class="small">{summary(peers)}</p>
          </div>
          <div class="row near js-only">
            <button type="button" class="btn small" onClick={() => void actions.announce([id])}>
              Ask for more
            </button>
            <button type="button" class="btn small" onClick={() => setNaming(true)}>
              Connect to…
            </button>
          </div>
        </header>
        {peers.length > 0 && (
          <table role="table" class="ledger" aria-label="Peers">
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">
                  Peer
                </th>
                <th role="columnheader" scope="col">
                  Has
                </th>
                <th role="columnheader" scope="col">
                  From it
                </th>
                <th role="columnheader" scope="col">
                  To it
                </th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              {shown.map((peer) => (
                <Row key={`${peer.transport} ${peer.address}`} peer={peer} />
              ))}
            </tbody>
          </table>
        )}
        {peers.length > shown.length && (
          <footer>
            And {formatCount(peers.length - shown.length)} slower ones.{" "}
            <button type="button" class="link js-only" onClick={() => setShowsAll(true)}>
              Show all {formatCount(peers.length)}
            </button>
          </footer>
        )}
      </section>
      <Legend />
      {naming && (
        <TextDialog
          title="Connect to a peer"
          label="Address and port"
          help="Such as 192.0.2.7:6881 or [2001:db8::7]:6881."
          value=""
          choices={[]}
          word="Connect"
          required
          onText={(peer) => actions.edit([id], { addPeers: [peer] })}
          onClose={() => setNaming(false)}
        />
      )}
    </>
  );
}

function byTraffic(a: Peer, b: Peer): number {
  return (
    b.downloadBytesPerSecond +
      b.uploadBytesPerSecond -
      a.downloadBytesPerSecond -
      a.uploadBytesPerSecond || b.progress - a.progress
  );
}

/** A word for each of the four states of a direction: interested or not, choked or not. */
function flowWords(
  isInterested: boolean,
  isChoked: boolean,
  words: FlowWords,
): readonly [Mood, string] {
  if (isInterested) return isChoked ? ["warn", words.waits] : [words.mood, words.flows];
  return isChoked ? ["wait", words.nothing] : ["wait", "Ready"];
}

interface FlowWords {
  readonly mood: Mood;
  readonly flows: string;
  readonly waits: string;
  readonly nothing: string;
}

const FROM: FlowWords = {
  mood: "down",
  flows: "Sends",
  waits: "We wait",
  nothing: "Nothing to ask",
};
const TO: FlowWords = { mood: "up", flows: "We send", waits: "It waits", nothing: "Asks nothing" };

function summary(peers: readonly Peer[]): string {
  if (peers.length === 0) return "Nobody is connected at the moment.";
  const count = (is: (peer: Peer) => boolean): string => formatCount(peers.filter(is).length);
  const sends = count(({ amInterested, peerChoking }) => amInterested && !peerChoking);
  const keeps = count(({ amInterested, peerChoking }) => amInterested && peerChoking);
  const takes = count(({ peerInterested, amChoking }) => peerInterested && !amChoking);
  const waits = count(({ peerInterested, amChoking }) => peerInterested && amChoking);
  return `${sends} send to us, ${keeps} make us wait. We send to ${takes}, and ${waits} wait for us.`;
}

function Row({ peer }: { readonly peer: Peer }) {
  const { address, client, transport, encryption, source, progress } = peer;
  const percent = Math.floor(progress * 100);
  const from = flowWords(peer.amInterested, peer.peerChoking, FROM);
  const to = flowWords(peer.peerInterested, peer.amChoking, TO);
  return (
    <tr role="row">
      <td role="cell">
        <code class="outside">{address}</code>
        <div class="meta">
          <span>
            <Outside text={client === "" ? "unknown program" : client} charactersMax={40} />
          </span>
          <span>{transportWords[transport]}</span>
          <span>{encryptionWords[encryption]}</span>
          <span>{sourceWords[source]}</span>
        </div>
      </td>
      <td role="cell" class="bar-cell">
        <progress
          class={percent === 100 ? "thin" : "thin wait"}
          value={percent}
          max={100}
          aria-label={`It has ${percent} %`}
        />
        <div>
          <b>{percent} %</b>
          <span>{percent === 100 ? "seed" : ""}</span>
        </div>
      </td>
      <Flow label="From it" words={from} rate={peer.downloadBytesPerSecond} />
      <Flow label="To it" words={to} rate={peer.uploadBytesPerSecond} />
    </tr>
  );
}

function Flow(props: {
  readonly label: string;
  readonly words: readonly [Mood, string];
  readonly rate: number;
}) {
  const [mood, word] = props.words;
  return (
    <td role="cell" data-l={props.label} class="full">
      <div class="flow">
        <State mood={mood}>{word}</State>
        <span>{props.rate > 0 ? formatSpeed(props.rate) : ""}</span>
      </div>
    </td>
  );
}

const MEANINGS = [
  [true, false, "One wants, the other lets it.", "interested, unchoked"],
  [
    true,
    true,
    "One wants, the other keeps it waiting: its places are taken.",
    "interested, choked",
  ],
  [false, false, "The way is open, nothing is wanted now.", "not interested, unchoked"],
  [false, true, "Nothing is wanted and nothing is open.", "not interested, choked"],
] as const;

function Legend() {
  return (
    <section class="board" aria-labelledby="words-title">
      <header>
        <div>
          <h2 id="words-title">What the words mean</h2>
          <p class="small">
            Each side says two things: whether it wants something (interested), and whether it lets
            the other take (unchoked). That makes {plural(MEANINGS.length, "state")} in each
            direction.
          </p>
        </div>
      </header>
      <table role="table" class="ledger" aria-label="What the words mean">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              From it
            </th>
            <th role="columnheader" scope="col">
              To it
            </th>
            <th role="columnheader" scope="col">
              In short
            </th>
            <th role="columnheader" scope="col">
              In the protocol
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {MEANINGS.map(([isInterested, isChoked, short, protocol]) => {
            const [fromMood, from] = flowWords(isInterested, isChoked, FROM);
            const [toMood, to] = flowWords(isInterested, isChoked, TO);
            return (
              <tr role="row" key={protocol}>
                <td role="cell" data-l="From it" class="full">
                  <State mood={fromMood}>{from}</State>
                </td>
                <td role="cell" data-l="To it" class="full">
                  <State mood={toMood}>{to}</State>
                </td>
                <td role="cell">{short}</td>
                <td role="cell" class="small">
                  {protocol}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
