import type { MessagePage } from "../../src/api/pages.ts";
import { Outside } from "../parts/words.tsx";
import { SearchForm } from "../parts/search.tsx";

/** Under this host name nothing else can be reached. */
const wrongHost = 421;

/** Error pages: what happened and what to do. */
export function MessageView(props: { readonly model: MessagePage }) {
  const { model } = props;
  return (
    <div class="stack lone">
      <div class="stack tight">
        {model.status >= 400 && <p class="small num">Error {model.status}</p>}
        <h1>
          <Outside text={model.title} />
        </h1>
      </div>
      <p>
        <Outside text={model.text} />
      </p>
      {model.hint !== null && (
        <p>
          <Outside text={model.hint} />
        </p>
      )}
      {model.search && <SearchForm query="" label="Search the catalogue" />}
      {model.status !== wrongHost && (
        <p>
          <a href="/">Go to the catalogue</a>
        </p>
      )}
      {model.errorId !== null && (
        <p class="small">
          Error id <code class="outside">{model.errorId}</code>: it names the line in the hub's log.
        </p>
      )}
    </div>
  );
}
