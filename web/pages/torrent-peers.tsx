import type { PeerEntry, PeerList } from "../../src/api/peers.ts";
import { formatSpeed, plural } from "../parts/format.ts";
import {
  encryptionWords,
  slownessWords,
  sourceWords,
  transportWords,
} from "../parts/peer-words.ts";
import { Outside, State } from "../parts/words.tsx";

const peersShownMax = 50;

/** The peers of the hub's everseed when the page was loaded, for administrators. */
export function TorrentPeers({ list }: { readonly list: PeerList }) {
  const { peers, cause } = list;
  const shown = peers.slice(0, peersShownMax);
  return (
    <section class="stack close" aria-labelledby="peers-title">
      <div class="stack tight">
        <h2 id="peers-title">Peers</h2>
        <p class="small">
          {peers.length === 0
            ? "Nobody is connected to this hub for it at the moment."
            : `${plural(peers.length, "peer is", "peers are")} connected to this hub for it. Only administrators see this.`}
          {cause !== null && ` This hub fetches what it lacks: ${slownessWords[cause]}.`}
        </p>
      </div>
      {shown.length > 0 && (
        <ul class="list">
          {shown.map((peer) => (
            <Peer key={`${peer.transport} ${peer.address}`} peer={peer} />
          ))}
        </ul>
      )}
      {peers.length > shown.length && (
        <p class="small">And {plural(peers.length - shown.length, "slower one")}.</p>
      )}
    </section>
  );
}

function Peer({ peer }: { readonly peer: PeerEntry }) {
  return (
    <li class="part">
      <div class="row apart">
        <code>
          <Outside text={peer.address} charactersMax={60} />
        </code>
        <PeerState peer={peer} />
      </div>
      <div class="meta">
        <span>
          <Outside text={peer.client} charactersMax={40} />
        </span>
        <span>{transportWords[peer.transport]}</span>
        <span>{encryptionWords[peer.encryption]}</span>
        <span>{sourceWords[peer.source]}</span>
        <span>has {Math.floor(peer.progress * 100)} %</span>
        {peer.uploadBytesPerSecond > 0 && (
          <span>{formatSpeed(peer.uploadBytesPerSecond)} to it</span>
        )}
        {peer.downloadBytesPerSecond > 0 && (
          <span>{formatSpeed(peer.downloadBytesPerSecond)} from it</span>
        )}
      </div>
    </li>
  );
}

function PeerState({ peer }: { readonly peer: PeerEntry }) {
  if (peer.waits) return <State mood="warn">It waits</State>;
  if (peer.wants) return <State mood="good">We send</State>;
  return <State mood="wait">{peer.progress >= 1 ? "Has all of it" : "Asks nothing"}</State>;
}
