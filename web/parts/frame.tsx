import type { ComponentChildren } from "preact";
import type { PageFrame } from "../../src/api/pages.ts";
import { CONNECTIONS_PAGE_PATH, TRANSFERS_PAGE_PATH } from "../../src/api/paths.ts";
import { announcerProps } from "./announce.ts";
import { formatBytes, plural } from "./format.ts";
import { LeafIcon, PersonIcon } from "./icons.tsx";
import { Shortcuts } from "./shortcuts.tsx";
import { ThemeSwitch } from "./theme.tsx";
import { Outside } from "./words.tsx";

/** The menu items; one of them is the current page. */
export type Place =
  | "publish"
  | "catalogue"
  | "transfers"
  | "help"
  | "admin"
  | "account"
  | "login"
  | null;

/** The parts around every page: header, main, footer. */
export function Frame(props: {
  readonly frame: PageFrame;
  readonly place: Place;
  readonly children: ComponentChildren;
}) {
  const { frame, place } = props;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header frame={frame} place={place} />
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
      <Footer frame={frame} />
      <div {...announcerProps} />
    </>
  );
}

function Header(props: { readonly frame: PageFrame; readonly place: Place }) {
  const { frame, place } = props;
  const here = (name: Place) => (place === name ? ("page" as const) : undefined);
  // Before setup there are no other pages.
  if (frame.totals === null) {
    return (
      <header class="top">
        <div>
          <span class="brand">
            <LeafIcon />
            <span>Everseed</span>
          </span>
        </div>
      </header>
    );
  }
  return (
    <header class="top">
      <div>
        <a class="brand" href="/">
          <LeafIcon />
          <span>
            <Outside text={frame.siteName} charactersMax={40} />
          </span>
        </a>
        <nav class="nav" aria-label="Main">
          {frame.mayPublish && (
            <a href="/publish" aria-current={here("publish")}>
              Publish
            </a>
          )}
          <a href="/" aria-current={here("catalogue")}>
            Catalogue
          </a>
          {frame.mayTransfer && (
            <a href={TRANSFERS_PAGE_PATH} aria-current={here("transfers")}>
              Transfers
            </a>
          )}
          <a href="/help" aria-current={here("help")}>
            New here?
          </a>
        </nav>
        {frame.mayAdminister && (
          <a class="me" href={CONNECTIONS_PAGE_PATH} aria-current={here("admin")}>
            Admin
          </a>
        )}
        {frame.user === null ? (
          <a class="me" href={loginPath(frame, place)} aria-current={here("login")}>
            Sign in
          </a>
        ) : (
          <a class="me" href="/account" aria-current={here("account")}>
            <PersonIcon />
            <span class="unseen">Account of </span>
            <Outside text={frame.user.name} charactersMax={32} />
          </a>
        )}
      </div>
    </header>
  );
}

function loginPath(frame: PageFrame, place: Place): string {
  return place === "login" ? frame.path : `/login?next=${encodeURIComponent(frame.path)}`;
}

function Footer(props: { readonly frame: PageFrame }) {
  const { totals, version } = props.frame;
  return (
    <footer class="foot">
      <div>
        {totals !== null && (
          <span class="num">
            {plural(totals.torrents, "torrent")} kept, {formatBytes(totals.bytes)}
          </span>
        )}
        <span>Everseed {version}</span>
        {totals !== null && (
          <a class="push" href="/help">
            Help
          </a>
        )}
        <Shortcuts frame={props.frame} />
        <ThemeSwitch />
      </div>
    </footer>
  );
}
