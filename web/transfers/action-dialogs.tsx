import type { TransferStatus, TransferView } from "../../src/api/transfers.ts";
import { plural } from "../parts/format.ts";
import { Outside } from "../parts/words.tsx";
import { Dialog } from "./dialog.tsx";
import { OwnLimitsDialog } from "./limit-dialogs.tsx";
import { TextDialog } from "./text-dialog.tsx";
import type { TransferActions } from "./transfer-actions.ts";
import { nameOf } from "./transfer-words.ts";

/** What is asked before something is done to some transfers. */
export type Asking = "more" | "remove" | "limits" | "move" | "label";

interface AskingProps {
  readonly transfers: readonly TransferView[];
  readonly actions: TransferActions;
  readonly onClose: () => void;
  /** They are gone, or will be. */
  readonly onRemoved: () => void;
}

/** The dialog of one of these questions. */
export function ActionDialog(
  props: AskingProps & {
    readonly asking: Asking;
    readonly status: TransferStatus;
    readonly labels: readonly string[];
    readonly onAsk: (asking: Asking) => void;
  },
) {
  const { asking, transfers, actions, onClose } = props;
  const ids = transfers.map(({ id }) => id);
  switch (asking) {
    case "remove":
      return <RemoveDialog {...props} />;
    case "limits":
      return (
        <OwnLimitsDialog
          transfers={transfers}
          onSave={(edit) => actions.edit(ids, edit)}
          onClose={onClose}
        />
      );
    case "move":
      return (
        <TextDialog
          title="Move the content to another folder"
          label="Folder"
          help="A whole path. Downloads go on from there."
          value={transfers[0]?.folder ?? ""}
          choices={props.status.disks.flatMap(({ folders }) => folders)}
          word="Move"
          required
          onText={(folder) => actions.moveContent(ids, folder)}
          onClose={onClose}
        />
      );
    case "label":
      return (
        <TextDialog
          title="Label"
          label="Label"
          help="Transfers with a label can be found together. Empty takes it away."
          value={transfers[0]?.label ?? ""}
          choices={props.labels}
          word="Save"
          onText={(label) => actions.edit(ids, { label: label === "" ? null : label })}
          onClose={onClose}
        />
      );
    case "more":
      return <MoreDialog {...props} ids={ids} />;
  }
}

function whose(transfers: readonly TransferView[]): string {
  const [only] = transfers;
  return transfers.length === 1 && only !== undefined
    ? nameOf(only)
    : plural(transfers.length, "transfer");
}

function MoreDialog(
  props: AskingProps & {
    readonly ids: readonly string[];
    readonly onAsk: (asking: Asking) => void;
  },
) {
  const { transfers, ids, actions, onClose, onAsk } = props;
  const inQueue = transfers.some(({ finishedAt }) => finishedAt === null);
  const run = (work: () => unknown) => (): void => {
    work();
    onClose();
  };
  return (
    <Dialog title={<Outside text={whose(transfers)} charactersMax={60} />} onClose={onClose}>
      <div class="menu">
        <button type="button" class="btn" onClick={run(() => actions.recheck(ids))}>
          Check the content
        </button>
        <button type="button" class="btn" onClick={run(() => actions.announce(ids))}>
          Ask the trackers now
        </button>
        <button type="button" class="btn" onClick={() => onAsk("limits")}>
          Limits…
        </button>
        <button type="button" class="btn" onClick={() => onAsk("label")}>
          Label…
        </button>
        <button type="button" class="btn" onClick={() => onAsk("move")}>
          Move the content…
        </button>
        {inQueue && (
          <>
            <button
              type="button"
              class="btn"
              onClick={run(() => actions.moveInQueue(ids, "first"))}
            >
              To the front of the queue
            </button>
            <button type="button" class="btn" onClick={run(() => actions.moveInQueue(ids, "last"))}>
              To the end of the queue
            </button>
          </>
        )}
        <button type="button" class="btn" onClick={() => onAsk("remove")}>
          Remove…
        </button>
      </div>
      <div class="row">
        <button type="button" class="btn quiet" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function RemoveDialog({ transfers, actions, onClose, onRemoved }: AskingProps) {
  const ids = transfers.map(({ id }) => id);
  const [only] = transfers;
  const remove = (content: boolean) => (): void => {
    actions.remove(ids, content);
    onRemoved();
    onClose();
  };
  return (
    <Dialog
      title={
        <>
          Remove <Outside text={whose(transfers)} charactersMax={60} />?
        </>
      }
      onClose={onClose}
    >
      <p>
        {transfers.length === 1 && only !== undefined ? (
          <>
            Its files are in <Outside text={only.folder} charactersMax={80} />.
          </>
        ) : (
          "Their files stay, unless you delete them too."
        )}
      </p>
      <div class="menu">
        <button type="button" class="btn main" autofocus onClick={remove(false)}>
          Remove, keep the files
        </button>
        <button type="button" class="btn danger" onClick={remove(true)}>
          Remove, and delete the files for good
        </button>
        <button type="button" class="btn quiet" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
