/** Page numbers around the current one, the first and the last, with gaps where some are left out. */
export function PageLinks(props: {
  readonly page: number;
  readonly pages: number;
  /** The name of the paged list: "Pages of the catalogue". */
  readonly label: string;
  readonly href: (page: number) => string;
  readonly onVisit?: (event: MouseEvent, page: number) => void;
}) {
  const { page, pages, label, href, onVisit } = props;
  if (pages <= 1) return null;
  const link = (to: number, words: string, rel?: string) => (
    <a href={href(to)} rel={rel} onClick={(event) => onVisit?.(event, to)}>
      {words}
    </a>
  );
  return (
    <nav class="pages num" aria-label={label}>
      {page > 1 && link(page - 1, "Previous", "prev")}
      {pageNumbers(page, pages).map((number, index) =>
        number === undefined ? (
          <span key={`gap-${index}`} aria-hidden="true">
            …
          </span>
        ) : number === page ? (
          <span key={number} aria-current="page">
            <span class="unseen">Page </span>
            {number}
          </span>
        ) : (
          <a
            key={number}
            href={href(number)}
            aria-label={`Page ${number}`}
            onClick={(event) => onVisit?.(event, number)}
          >
            {number}
          </a>
        ),
      )}
      {page < pages && link(page + 1, "Next", "next")}
    </nav>
  );
}

/** @returns Numbers in order; undefined where at least one is left out. */
export function pageNumbers(page: number, pages: number): (number | undefined)[] {
  const wanted = new Set([1, page - 1, page, page + 1, pages]);
  const shown: (number | undefined)[] = [];
  for (let number = 1; number <= pages; number += 1) {
    if (wanted.has(number)) shown.push(number);
    else if (shown.at(-1) !== undefined) shown.push(undefined);
  }
  return shown;
}
