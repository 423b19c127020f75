import { useEffect, useState } from "preact/hooks";
import type { ActionDialog } from "./action-dialogs.tsx";
import type { AddDialog } from "./add-dialog.tsx";
import type { LimitsDialog } from "./limit-dialogs.tsx";

/** The dialogs of the page. Nobody needs them for the first view. */
export interface Dialogs {
  readonly ActionDialog: typeof ActionDialog;
  readonly AddDialog: typeof AddDialog;
  readonly LimitsDialog: typeof LimitsDialog;
}

/** @returns `undefined` until they are loaded, which begins with the page. */
export function useDialogs(): Dialogs | undefined {
  const [dialogs, setDialogs] = useState<Dialogs | undefined>();
  useEffect(() => {
    const load = async (): Promise<void> => {
      const [action, add, limits] = await Promise.all([
        import("./action-dialogs.tsx"),
        import("./add-dialog.tsx"),
        import("./limit-dialogs.tsx"),
      ]);
      setDialogs({ ...action, ...add, ...limits });
    };
    load().catch((error: unknown) => console.error("the dialogs could not be loaded", error));
  }, []);
  return dialogs;
}
