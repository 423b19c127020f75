import type { QrCode } from "../../src/api/pages.ts";
import { Copy } from "./copy.tsx";
import { meansThisMachine } from "./reach.ts";

/** The page's address as a code for phones and as text to copy. */
export function Share(props: {
  readonly qr: QrCode;
  readonly url: string;
  readonly magnet?: string;
}) {
  return (
    <section class="card stack close" aria-labelledby="share-title">
      <h2 id="share-title">Share</h2>
      {meansThisMachine(props.url) ? (
        <OnThisMachineOnly />
      ) : (
        <div class="scan">
          <Qr code={props.qr} label="QR code of this page's link" />
          <p class="small">Point a phone's camera at it to open this page there.</p>
        </div>
      )}
      <Copy line text={props.url} what="link" />
      {props.magnet !== undefined && <Copy line text={props.magnet} what="magnet link" />}
    </section>
  );
}

/** A phone that scanned such a link would look for the page on itself. */
function OnThisMachineOnly() {
  return (
    <p class="small">
      So far this link works on this machine only: its address, as you opened it, is the one by
      which each machine calls itself. Open the site by a name or an address that others reach, and
      a link for them and their phones stands here. For that the hub has to listen to them:{" "}
      <code>host: 0.0.0.0</code> in <code>everseed.yaml</code>.
    </p>
  );
}

function Qr(props: { readonly code: QrCode; readonly label: string }) {
  const { size, path } = props.code;
  return (
    <svg
      class="qr"
      viewBox={`-2 -2 ${size + 4} ${size + 4}`}
      shape-rendering="crispEdges"
      role="img"
      aria-label={props.label}
    >
      <path d={path} fill="#000" />
    </svg>
  );
}
