import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { DeclaredDraft, Draft, DraftInput } from "../../src/api/drafts.ts";
import type { PublishPage } from "../../src/api/pages.ts";
import type { TorrentSummary } from "../../src/api/torrents.ts";
import { DRAFTS_PATH, draftPath } from "../../src/api/paths.ts";
import { askHub, HubRefusal, type Trouble, troubleOf } from "../client/hub.ts";
import { formatBytes, plural, visible } from "../parts/format.ts";
import { Note, Outside } from "../parts/words.tsx";
import { type Chosen, fromHandles, named } from "../publish/chosen-files.ts";
import { DropPlace } from "../publish/drop-place.tsx";
import {
  canKeepHandles,
  forgetHandles,
  keepHandles,
  type KeptHandle,
  mayRead,
  recallHandles,
} from "../publish/kept-handles.ts";
import { Fetches, FirstSteps, Unfinished } from "../publish/publish-notes.tsx";
import { percentOf, ProgressCard } from "../publish/progress-card.tsx";
import { TorrentSource } from "../publish/torrent-source.tsx";
import { PublishForm } from "../publish/publish-form.tsx";
import {
  type DraftOptions,
  forgetOptions,
  recallOptions,
  rememberOptions,
} from "../publish/remembered.ts";
import type { Cut, HereAlready } from "../publish/here-already.ts";
import type { RunProgress, UploadRun } from "../publish/upload-run.ts";

/**
 * The steps of this page: choosing -> chosen -> (declared to the hub) running -> the torrent's own page. An
 * unfinished upload goes from choosing to running at once, when the same files are chosen again.
 */
type Step =
  | { readonly kind: "choosing"; readonly again: Draft | null; readonly problem: Trouble | null }
  | {
      readonly kind: "chosen";
      readonly chosen: Chosen;
      readonly handles: readonly KeptHandle[] | undefined;
      readonly problem: Trouble | null;
      readonly busy: boolean;
    }
  | { readonly kind: "running"; readonly draft: DeclaredDraft; readonly progress: RunProgress };

/** The upload waits this long when the content may turn out to be on the hub already. */
const askFirstMs = 400;

interface ChosenAgain {
  readonly chosen: Chosen;
  readonly handles: readonly KeptHandle[] | undefined;
}

/** Files in, a link out. */
export function PublishView(props: { readonly model: PublishPage }) {
  const { model } = props;
  const [step, setStep] = useState<Step>({ kind: "choosing", again: null, problem: null });
  const [drafts, setDrafts] = useState(model.drafts);
  const [readingId, setReadingId] = useState<string | undefined>();
  const keeps = useKeepsHandles();
  const run = useRef<UploadRun | null>(null);
  const here = useRef<Promise<HereAlready | undefined> | null>(null);
  const [known, setKnown] = useState<TorrentSummary | null>(null);
  const looks = useRef(0);
  useEffect(() => {
    const linked = model.drafts.find((draft) => `#${draft.id}` === location.hash);
    if (linked !== undefined) setStep({ kind: "choosing", again: linked, problem: null });
    return () => {
      run.current?.close();
      stopHashing();
    };
  }, []);
  useLeaveWarning(step);
  useFocusOnStep(step.kind);

  const stopHashing = (): void => {
    void here.current?.then((hashing) => hashing?.stop());
    here.current = null;
  };
  const startHashing = (chosen: Chosen, cut: Cut): void => {
    stopHashing();
    here.current = import("../publish/here-already.ts").then(
      ({ HereAlready }) => new HereAlready(chosen, cut),
      (error: unknown) => {
        // The upload finds it out at its end.
        console.debug("nothing is hashed before the upload", error);
        return undefined;
      },
    );
  };

  /** While the person looks at the form, finds out whether the content is already here. */
  const look = async (chosen: Chosen, options: DraftOptions): Promise<void> => {
    looks.current += 1;
    const number = looks.current;
    setKnown(null);
    if ((await here.current)?.fits(options) !== true) startHashing(chosen, options);
    const torrent = await (await here.current)?.look(options);
    if (looks.current === number) setKnown(torrent ?? null);
  };

  const publish = async (
    { chosen, handles }: ChosenAgain,
    options: DraftOptions,
  ): Promise<void> => {
    setStep({ kind: "chosen", chosen, handles, problem: null, busy: true });
    try {
      // Loaded while the hub answers, because only publishers need it.
      const loading = import("../publish/upload-run.ts");
      const draft = await askHub<DeclaredDraft>("POST", DRAFTS_PATH, declare(chosen, options));
      rememberOptions(draft.id, options);
      void keepHandles(draft.id, handles);
      const { UploadRun } = await loading;
      const files = chosen.files.map(({ file }) => file);
      const hashing = await here.current;
      const upload = new UploadRun(draft, files, (progress) => {
        setStep({ kind: "running", draft, progress });
        hashing?.follow(progress.sent);
        if (progress.state.kind !== "published") return;
        forgetUpload(draft.id);
        stopHashing();
      });
      run.current = upload;
      const known = hashing?.ask(draft, files).then(async (answer) => {
        if (answer !== undefined && run.current === upload) await upload.end(answer);
        return answer;
      });
      const pause = new Promise<undefined>((resolve) => setTimeout(resolve, askFirstMs));
      if ((await Promise.race([known, pause])) === undefined) upload.start();
    } catch (error) {
      setStep({ kind: "chosen", chosen, handles, problem: troubleOf(error), busy: false });
    }
  };

  const again = step.kind === "choosing" ? step.again : null;
  const goOn = (files: ChosenAgain, draft: Draft): void => {
    const mismatch = compare(files.chosen, draft);
    if (mismatch !== null) {
      setStep({ kind: "choosing", again: draft, problem: mismatch });
      return;
    }
    startHashing(files.chosen, draft);
    void publish(files, recallOptions(draft.id) ?? optionsOf(draft, files.chosen));
  };
  const choose = useCallback(
    (chosen: Chosen, handles: readonly KeptHandle[] | undefined): void => {
      if (again !== null) goOn({ chosen, handles }, again);
      else {
        startHashing(chosen, {});
        setStep({ kind: "chosen", chosen, handles, problem: null, busy: false });
      }
    },
    [again],
  );
  const kept = useKept(again);
  /**
   * Continues with the files of last time, if the browser kept them and may read them; otherwise they are chosen
   * again.
   */
  const goOnAsBefore = async (draft: Draft): Promise<void> => {
    setReadingId(draft.id);
    try {
      const handles = await recallHandles(draft.id);
      if (handles !== undefined && (await mayRead(handles))) {
        goOn(
          { chosen: await fromHandles(handles, model.filesMax, () => undefined), handles },
          draft,
        );
        return;
      }
    } catch (error) {
      console.debug("the files of last time cannot be read", error);
    } finally {
      setReadingId(undefined);
    }
    setStep({ kind: "choosing", again: draft, problem: null });
  };

  const giveUp = async (draft: Draft): Promise<void> => {
    try {
      if (run.current === null) await askHub("DELETE", draftPath(draft.id));
      else await run.current.giveUp();
    } catch (error) {
      if (!(error instanceof HubRefusal && error.status === 404)) {
        setStep({ kind: "choosing", again: null, problem: troubleOf(error) });
        return;
      }
    }
    run.current = null;
    stopHashing();
    forgetUpload(draft.id);
    setDrafts(drafts.filter(({ id }) => id !== draft.id));
    setStep({ kind: "choosing", again: null, problem: null });
  };

  if (step.kind === "running") {
    const { draft, progress } = step;
    if (progress.state.kind === "published") return <Arrived draft={progress.state.draft} />;
    return (
      <ProgressCard
        draft={draft}
        progress={progress}
        onPause={() => void run.current?.pause()}
        onResume={() => run.current?.resume()}
        onGiveUp={() => void giveUp(draft)}
        onChooseAgain={() => {
          run.current?.close();
          run.current = null;
          stopHashing();
          setStep({ kind: "choosing", again: null, problem: null });
        }}
      />
    );
  }
  return (
    <div class="stack">
      <div class="stack tight">
        <h1>Publish something</h1>
        <p class="small">It gets a link anyone can open, and this hub keeps it alive.</p>
      </div>
      {model.first && <FirstSteps />}
      {step.kind === "choosing" && again === null && <Tabs from={model.from} />}
      {model.from === "torrent" ? (
        <TorrentSource model={model} />
      ) : (
        <div class="without-js">
          <Note mood="warn" title="Uploading files needs JavaScript">
            <p>
              Without it, use the command line:{" "}
              <code>everseed publish PATH --to URL --token-file F</code>
            </p>
          </Note>
        </div>
      )}
      {model.from === "torrent" ? null : step.kind === "chosen" ? (
        <PublishForm
          model={model}
          chosen={step.chosen}
          problem={step.problem}
          busy={step.busy}
          known={known}
          onOptions={(options) => void look(step.chosen, options)}
          onPublish={(options) => void publish(step, options)}
          onCancel={() => {
            stopHashing();
            setStep({ kind: "choosing", again: null, problem: null });
          }}
        />
      ) : (
        <>
          {step.problem !== null && (
            <Note mood="bad" title={step.problem.message} alert>
              {step.problem.hint !== null && <p>{step.problem.hint}</p>}
            </Note>
          )}
          {again === null && (
            <Unfinished
              drafts={drafts}
              readingId={readingId}
              onGoOn={(draft) => void goOnAsBefore(draft)}
              onGiveUp={(draft) => void giveUp(draft)}
            />
          )}
          <DropPlace
            title={again === null ? "Drop files or a folder here" : "Choose the same files again"}
            filesMax={model.filesMax}
            onChosen={choose}
          >
            {again === null ? (
              <p>{roomWords(model, keeps)}</p>
            ) : (
              <p>
                <Outside text={again.name} charactersMax={80} />: {plural(again.fileCount, "file")},{" "}
                {formatBytes(again.size)}. {formatBytes(again.offset)} are on the hub already and do
                not travel again.{" "}
                {kept && (
                  <button type="button" class="link" onClick={() => void goOnAsBefore(again)}>
                    Use the files of last time
                  </button>
                )}{" "}
                <button
                  type="button"
                  class="link"
                  onClick={() => setStep({ kind: "choosing", again: null, problem: null })}
                >
                  Publish something else
                </button>
              </p>
            )}
          </DropPlace>
        </>
      )}
      {step.kind === "choosing" && again === null && <Fetches fetches={model.fetches} />}
    </div>
  );
}

/** Tells whether this browser kept the files of the draft. */
function useKept(draft: Draft | null): boolean {
  const [keptId, setKeptId] = useState<string | undefined>();
  useEffect(() => {
    if (draft === null) return;
    void recallHandles(draft.id).then((handles) => {
      if (handles !== undefined) setKeptId(draft.id);
    });
  }, [draft]);
  return draft !== null && keptId === draft.id;
}

/** Known in the browser only; the server's document says what is true everywhere. */
function useKeepsHandles(): boolean {
  const [keeps, setKeeps] = useState(false);
  useEffect(() => setKeeps(canKeepHandles()), []);
  return keeps;
}

function forgetUpload(draftId: string): void {
  forgetOptions(draftId);
  void forgetHandles(draftId);
}

/** The two kinds of sources: files, or a torrent. */
function Tabs(props: { readonly from: PublishPage["from"] }) {
  const here = (from: PublishPage["from"]) => (from === props.from ? "page" : undefined);
  return (
    <nav class="tabs" aria-label="What you have">
      <a href="/publish" aria-current={here("files")}>
        I have files
      </a>
      <a href="/publish?from=torrent" aria-current={here("torrent")}>
        I have a .torrent or magnet
      </a>
    </nav>
  );
}

/** The upload is complete: opens the torrent's page, or says what was already here. */
function Arrived(props: { readonly draft: Draft }) {
  const { id, torrent } = props.draft;
  const address = torrent === null ? "/" : new URL(torrent.pageUrl).pathname;
  const isNew = torrent === null || torrent.id === id;
  useEffect(() => {
    if (isNew) location.assign(`${address}?fresh`);
  }, []);
  if (isNew) {
    return (
      <div class="stack">
        <h1>Published</h1>
        <p>
          <a href={address}>Go to its page</a>
        </p>
      </div>
    );
  }
  return (
    <div class="stack lone">
      <h1>This is here already</h1>
      <p>
        The same content was published before as “
        <Outside text={torrent.name} charactersMax={80} />
        ”. There is one copy of it, and one page.
      </p>
      <div class="row">
        <a class="btn main" href={address}>
          Go to its page
        </a>
        <a class="btn" href="/publish">
          Publish something else
        </a>
      </div>
    </div>
  );
}

function roomWords(model: PublishPage, keeps: boolean): string {
  const free = model.freeBytes === null ? "" : ` ${formatBytes(model.freeBytes)} are free.`;
  const limit =
    model.uploadBytesMax === null
      ? "Any size the hub's disk holds."
      : `Up to ${formatBytes(model.uploadBytesMax)}.`;
  return `${limit}${free} ${keeps ? "You can close the page and come back" : "You can close the page, come back and choose the same files again"}: the upload goes on where it stopped.`;
}

function declare(chosen: Chosen, options: DraftOptions): DraftInput {
  return {
    ...options,
    files: chosen.files.map(({ path, file }) => ({
      path,
      size: file.size,
      modified: file.lastModified,
    })),
  };
}

/** The options of a draft as far as they are known when this browser remembers nothing. */
function optionsOf(draft: Draft, chosen: Chosen): DraftOptions {
  const { folder, kind } = draft;
  return { ...named(chosen, draft.name), folder, kind, private: draft.private };
}

function compare(chosen: Chosen, draft: Draft): Trouble | null {
  if (chosen.files.length === draft.fileCount && chosen.size === draft.size) return null;
  return {
    message: "These are not the same files",
    hint:
      `“${visible(draft.name)}” is ${plural(draft.fileCount, "file")} with ${formatBytes(draft.size)}; ` +
      `you chose ${plural(chosen.files.length, "file")} with ${formatBytes(chosen.size)}.`,
  };
}

/** The pressed button is gone on the next step, so the focus moves to the start of that step. */
function useFocusOnStep(kind: Step["kind"]): void {
  const before = useRef(kind);
  useEffect(() => {
    if (before.current === kind) return;
    before.current = kind;
    const hasKeyboard = matchMedia("(hover: hover)").matches;
    const name = document.querySelector<HTMLElement>("main form input[name=name]");
    if (kind === "chosen" && hasKeyboard && name !== null) {
      name.focus();
      return;
    }
    const heading = document.querySelector<HTMLElement>("main h1");
    if (heading === null) return;
    heading.tabIndex = -1;
    heading.focus();
  }, [kind]);
}

/** While an upload runs, the tab shows its progress, and closing the tab asks first. */
function useLeaveWarning(step: Step): void {
  const state = step.kind === "running" ? step.progress.state.kind : undefined;
  const isUnderWay =
    state === "sending" || state === "finishing" || state === "waiting" || state === "paused";
  // A layout effect ends before the view of the next step can navigate away by itself.
  useLayoutEffect(() => {
    if (!isUnderWay) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [isUnderWay]);
  const percent = step.kind === "running" ? percentOf(step.progress) : undefined;
  useEffect(() => {
    if (percent === undefined) return undefined;
    const title = document.title.replace(/^\d+ % · /, "");
    document.title = `${percent} % · ${title}`;
    return () => {
      document.title = document.title.replace(/^\d+ % · /, "");
    };
  }, [percent]);
}
