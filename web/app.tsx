import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Page, PageModel, PublishPage } from "../src/api/pages.ts";
import type { TransferPage, TransfersPage } from "../src/api/transfer-pages.ts";
import { AccountView } from "./pages/account.tsx";
import { CatalogueView } from "./pages/catalogue.tsx";
import { ConnectionsView } from "./pages/connections.tsx";
import { FetchView } from "./pages/fetch.tsx";
import { HelpView } from "./pages/help.tsx";
import { LoginView } from "./pages/login.tsx";
import { MessageView } from "./pages/message.tsx";
import { RemovedView } from "./pages/removed.tsx";
import { SetupView } from "./pages/setup.tsx";
import { TorrentView } from "./pages/torrent.tsx";
import { UploadView } from "./pages/upload.tsx";
import { visible } from "./parts/format.ts";
import { Frame, type Place } from "./parts/frame.tsx";
import { FormToken } from "./parts/post-form.tsx";

/** Views that are loaded only where they are shown; the server has all of them. */
export interface LaterViews {
  readonly publish?: FunctionComponent<{ readonly model: PublishPage }>;
  readonly transfers?: FunctionComponent<{ readonly model: TransfersPage }>;
  readonly transfer?: FunctionComponent<{ readonly model: TransferPage }>;
}

/** Any page of the hub, from its model. */
export function App(props: { readonly page: Page; readonly later: LaterViews }) {
  // A newer answer for the same address may replace the page without a reload.
  const [page, setPage] = useState(props.page);
  useEffect(() => {
    document.title = `${visible(titleOf(page.model))} · ${visible(page.frame.siteName)}`;
  }, [page]);
  return (
    <FormToken.Provider value={page.frame.formToken}>
      <Frame frame={page.frame} place={placeOf(page.model)}>
        <View page={page} later={props.later} replace={setPage} />
      </Frame>
    </FormToken.Provider>
  );
}

function View(props: {
  readonly page: Page;
  readonly later: LaterViews;
  readonly replace: (page: Page) => void;
}) {
  const { model, frame } = props.page;
  const { publish: Publish, transfers: Transfers, transfer: Transfer } = props.later;
  switch (model.kind) {
    case "setup":
      return <SetupView model={model} />;
    case "login":
      return <LoginView model={model} />;
    case "publish":
      return Publish === undefined ? null : <Publish model={model} />;
    case "upload":
      return <UploadView model={model} replace={props.replace} />;
    case "fetch":
      return <FetchView model={model} replace={props.replace} />;
    case "torrent":
      return <TorrentView model={model} path={frame.path} replace={props.replace} />;
    case "removed":
      return <RemovedView model={model} />;
    case "catalogue":
      return <CatalogueView model={model} frame={frame} />;
    case "help":
      return <HelpView />;
    case "account":
      return <AccountView model={model} frame={frame} />;
    case "connections":
      return <ConnectionsView model={model} />;
    case "transfers":
      return Transfers === undefined ? null : <Transfers model={model} />;
    case "transfer":
      return Transfer === undefined ? null : <Transfer model={model} />;
    case "message":
      return <MessageView model={model} />;
  }
}

/** @returns The page's own name, for its heading and the browser's tab. */
export function titleOf(model: PageModel): string {
  switch (model.kind) {
    case "setup":
      return model.state === "open" ? "Set up this hub" : "Setup";
    case "login":
      return "Sign in";
    case "publish":
      return "Publish";
    case "upload":
      return model.draft.name;
    case "fetch":
      return model.name ?? "Not here";
    case "torrent":
      return model.torrent.name;
    case "removed":
      return "Removed";
    case "catalogue":
      return model.list.query === "" ? "Catalogue" : `Search for ${model.list.query}`;
    case "help":
      return "New here?";
    case "account":
      return "Account";
    case "connections":
      return "Connections";
    case "transfers":
      return "Transfers";
    case "transfer":
      return model.transfer.name;
    case "message":
      return model.title;
  }
}

function placeOf(model: PageModel): Place {
  switch (model.kind) {
    case "publish":
    case "upload":
    case "fetch":
      return "publish";
    case "catalogue":
    case "torrent":
      return "catalogue";
    case "connections":
      return "admin";
    case "transfers":
    case "transfer":
      return "transfers";
    case "help":
    case "account":
    case "login":
      return model.kind;
    default:
      return null;
  }
}
