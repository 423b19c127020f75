import type { TransferView } from "../../src/api/transfers.ts";
import { formatCount } from "../parts/format.ts";
import type { Asking } from "./action-dialogs.tsx";
import type { TransferActions } from "./transfer-actions.ts";
import { isStopped } from "./transfer-words.ts";

/** What can be done to the chosen rows; on a phone it sticks to the bottom of the window. */
export function BulkBar(props: {
  readonly chosen: readonly TransferView[];
  readonly actions: TransferActions;
  readonly onAsk: (asking: Asking) => void;
  readonly onClear: () => void;
}) {
  const { chosen, actions, onAsk, onClear } = props;
  const ids = chosen.map(({ id }) => id);
  const allStopped = chosen.every(isStopped);
  const inQueue = chosen.some(({ finishedAt }) => finishedAt === null);
  const count = formatCount(chosen.length);
  return (
    <div class="bulk" role="toolbar" aria-label={`For the ${count} selected`}>
      <b>
        <span role="status">{count} selected</span>{" "}
        <button type="button" class="btn small quiet" onClick={onClear}>
          Clear
        </button>
      </b>
      <button
        type="button"
        class="btn small"
        onClick={() => void (allStopped ? actions.start(ids) : actions.stop(ids))}
      >
        {allStopped ? "Resume" : "Pause"}
      </button>
      <button type="button" class="btn small more" onClick={() => void actions.recheck(ids)}>
        Check
      </button>
      {inQueue && (
        <>
          <button
            type="button"
            class="btn small more"
            onClick={() => void actions.moveInQueue(ids, "up")}
          >
            Move up
          </button>
          <button
            type="button"
            class="btn small more"
            onClick={() => void actions.moveInQueue(ids, "down")}
          >
            Move down
          </button>
        </>
      )}
      <button type="button" class="btn small more" onClick={() => onAsk("limits")}>
        Limit…
      </button>
      <button type="button" class="btn small" onClick={() => onAsk("remove")}>
        Remove…
      </button>
      <button type="button" class="btn small" onClick={() => onAsk("more")}>
        More…
      </button>
    </div>
  );
}
