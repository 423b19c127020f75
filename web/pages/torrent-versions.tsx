import type { TorrentVersion } from "../../src/api/versions.ts";
import { Copy } from "../parts/copy.tsx";
import { Note, When } from "../parts/words.tsx";

/** Says that a newer version of the torrent is out, and leads there. */
export function NewerVersion({ versions }: { readonly versions: readonly TorrentVersion[] }) {
  const older = versions.find(({ state }) => state === "older");
  if (older === undefined) return null;
  return (
    <Note mood="wait" title="There is a newer version of this">
      <p>
        {older.newerUrl === null ? (
          <>
            This hub does not have it. The link to the newest version, in{" "}
            <a href="#details-title">Details</a>, finds it.
          </>
        ) : (
          <a href={older.newerUrl}>Open the newest version</a>
        )}
      </p>
    </Note>
  );
}

/** The links by which programs find the newest version of what the torrent is a version of. */
export function VersionLinks({ versions }: { readonly versions: readonly TorrentVersion[] }) {
  return (
    <>
      {versions.map((version) => (
        <div key={version.link} class="stack close">
          <Copy line text={version.link} what="link to the newest version" />
          <p class="small">
            This link finds the newest version in programs that can follow a publication, such as
            everseed follow. {keeping(version)}
          </p>
        </div>
      ))}
    </>
  );
}

function keeping({ state, storedAt }: TorrentVersion) {
  switch (state) {
    case "kept":
      return (
        <>
          This hub keeps it alive in the DHT, last <When at={storedAt} />.
        </>
      );
    case "waits":
      return <>This hub keeps it alive in the DHT; no DHT node has taken it yet.</>;
    case "off":
      return <>The DHT of this hub is off, so somebody else has to keep it alive.</>;
    case "older":
      return <>The version on this page is an older one.</>;
  }
}
