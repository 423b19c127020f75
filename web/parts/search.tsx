/** The catalogue's search. A plain form: the query is in the address. */
export function SearchForm(props: { readonly query: string; readonly label: string }) {
  return (
    <form class="search" role="search" action="/search" method="get">
      <input
        type="search"
        name="q"
        aria-label="Search the catalogue"
        placeholder={props.label}
        defaultValue={props.query}
        maxLength={200}
        enterkeyhint="search"
      />
      <button class="btn">Search</button>
    </form>
  );
}
