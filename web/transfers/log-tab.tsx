import { useState } from "preact/hooks";
import type { TransferLogView, TransferView } from "../../src/api/transfers.ts";
import { transferPath } from "../../src/api/paths.ts";
import { Outside, State, When } from "../parts/words.tsx";
import { useAsked } from "./use-asked.ts";

const ASK_EVERY_MS = 5_000;

/** What happened to it, newest first. */
export function LogTab(props: {
  readonly transfer: TransferView;
  readonly first: TransferLogView["lines"];
}) {
  const { transfer, first } = props;
  const path = `${transferPath(transfer.id)}/log`;
  const { value } = useAsked<TransferLogView>(path, ASK_EVERY_MS, { lines: first });
  const [onlyTrouble, setOnlyTrouble] = useState(false);
  const lines = (value?.lines ?? first).filter(({ trouble }) => trouble || !onlyTrouble);
  return (
    <section class="board" aria-labelledby="log-title">
      <header>
        <div>
          <h2 id="log-title">Log</h2>
          <p class="small">Since the start of the node.</p>
        </div>
        <select
          class="js-only"
          aria-label="Show"
          value={onlyTrouble ? "trouble" : "all"}
          onChange={(event) => setOnlyTrouble(event.currentTarget.value === "trouble")}
        >
          <option value="all">Everything</option>
          <option value="trouble">Problems only</option>
        </select>
      </header>
      {lines.length === 0 ? (
        <p class="in">No problem is known.</p>
      ) : (
        <table role="table" class="ledger" aria-label="Log">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col" class="fit">
                When
              </th>
              <th role="columnheader" scope="col">
                What
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {lines.map(({ at, trouble, message }, index) => (
              <tr role="row" key={`${at} ${lines.length - index}`}>
                <td role="cell" class="small num fit">
                  <When at={at} />
                </td>
                <td role="cell">
                  {trouble && (
                    <>
                      <State mood="warn">Problem</State>{" "}
                    </>
                  )}
                  <Outside text={message} charactersMax={500} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
