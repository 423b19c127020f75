import type { TorrentChangeForm, TorrentPage } from "../../src/api/pages.ts";
import { Field, Problem } from "../parts/form.tsx";
import { PostForm } from "../parts/post-form.tsx";

/** For people who may: change the texts, or remove it. Plain forms, which need no JavaScript. */
export function TorrentChange(props: {
  readonly model: TorrentPage;
  readonly change: TorrentChangeForm;
}) {
  const { torrent } = props.model;
  const { name, comment, problem } = props.change;
  // The everseed counts as a seed.
  const isOnlyCopy = torrent.swarm.seeds <= 1;
  return (
    <section class="card stack close" aria-labelledby="change-title">
      <h2 id="change-title">Change or remove</h2>
      <details open={problem !== null}>
        <summary>Title and description</summary>
        <PostForm class="form" action={`/t/${torrent.id}/edit`}>
          <Problem problem={problem} />
          <Field
            id="change-name"
            name="name"
            label="Title"
            help="It renames no file."
            defaultValue={name}
            problem={problem}
            maxLength={255}
            autocomplete="off"
            required
            prose
          />
          <label>
            Description
            <textarea name="comment" maxLength={10_000} dir="auto" defaultValue={comment} />
          </label>
          <button class="btn">Save</button>
        </PostForm>
      </details>
      <details>
        <summary>Remove it</summary>
        <PostForm class="form" action={`/t/${torrent.id}/remove`}>
          <p>
            It disappears from the catalogue at once, nobody gets it from here any more, and its
            link says that it was removed. For 7 days you can undo that; then its files are deleted.
          </p>
          {isOnlyCopy && <p>Nobody else is known to have all of it.</p>}
          <button class="btn">Remove</button>
        </PostForm>
      </details>
    </section>
  );
}
