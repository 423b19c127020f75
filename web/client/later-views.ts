import type { PageModel } from "../../src/api/pages.ts";
import type { LaterViews } from "../app.tsx";

/** Loads the view of a page that is not part of the first script. */
export async function laterViews(kind: PageModel["kind"]): Promise<LaterViews> {
  switch (kind) {
    case "publish":
      return { publish: (await import("../pages/publish.tsx")).PublishView };
    case "transfers":
      return { transfers: (await import("../pages/transfers.tsx")).TransfersView };
    case "transfer":
      return { transfer: (await import("../pages/transfer.tsx")).TransferView };
    default:
      return {};
  }
}
