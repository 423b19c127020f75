import { useEffect, useState } from "preact/hooks";
import type { SetupPage } from "../../src/api/pages.ts";
import { formatBytes } from "../parts/format.ts";
import { Field, PasswordField, Problem } from "../parts/form.tsx";
import { judgePassword } from "../parts/password-strength.ts";
import { Note } from "../parts/words.tsx";
import { PostForm } from "../parts/post-form.tsx";

/** The first page of a new hub: it makes the administrator, once. */
export function SetupView(props: { readonly model: SetupPage }) {
  const { model } = props;
  if (model.state === "done") return <SetupDone />;
  if (model.state === "elsewhere") return <SetupElsewhere />;
  return <SetupForm model={model} />;
}

function SetupForm(props: { readonly model: SetupPage }) {
  const { model } = props;
  const [key, setKey] = useState(model.key);
  const [password, setPassword] = useState("");
  // The key is in the fragment: no server, log or referrer sees it before the form is sent. It is removed from the
  // address bar at once, so that neither the history nor a redirect keeps it.
  useEffect(() => {
    const takeKey = (): void => {
      const fromLink = decodeURIComponent(location.hash.slice(1));
      if (fromLink === "") return;
      setKey(fromLink);
      history.replaceState(history.state, "", location.pathname + location.search);
    };
    takeKey();
    // Pasting the link into a tab that already shows this page changes only the fragment.
    addEventListener("hashchange", takeKey);
    return () => removeEventListener("hashchange", takeKey);
  }, []);
  const strength = judgePassword(password, model.passwordMin);
  const keyIsWrong = model.problem?.field === "key";
  const isReset = model.state === "reset";
  return (
    <div class="stack lone">
      <div class="stack tight">
        <h1>{isReset ? "A new password" : "Set up this hub"}</h1>
        <p class="small">
          {isReset
            ? "Give the name you sign in with: it gets this password, and all who are signed in with it are signed out. A name that is new here becomes another administrator."
            : "Choose who you are here. Everything else can stay as it is."}
        </p>
      </div>
      <PostForm class="form card" action="/setup">
        <Problem problem={model.problem} />
        {keyIsWrong && (
          <p class="small">
            A new key: <code>everseed hub setup-link --data DIR</code> on the machine of the hub
            prints a new link. A link is good once, for 30 minutes.
          </p>
        )}
        <Field
          id="name"
          name="name"
          label="Your name"
          help="Letters, digits, dots and dashes. You sign in with it."
          defaultValue={model.name}
          autocomplete="username"
          minLength={2}
          maxLength={32}
          required
          problem={model.problem}
        />
        <PasswordField
          id="password"
          name="password"
          label="Password"
          help={`At least ${model.passwordMin} characters. A few words in a row are good.`}
          autocomplete="new-password"
          minLength={model.passwordMin}
          maxLength={256}
          required
          problem={model.problem}
          onText={setPassword}
        >
          <div class="strength js-only" hidden={password === ""}>
            <progress max={4} value={strength.level} aria-label="Strength of the password" />
            <small aria-live="polite">{strength.word}</small>
          </div>
        </PasswordField>
        {!isReset && (
          <Field
            id="siteName"
            name="siteName"
            label="Name of the site"
            prose
            defaultValue={model.siteName}
            autocomplete="off"
            maxLength={100}
            required
            problem={model.problem}
          />
        )}
        <div hidden={key !== "" && !keyIsWrong}>
          <Field
            id="key"
            name="key"
            label="Setup key"
            help="Setup is open on the terminal of this machine: the key is the end of the link printed there, after the #."
            value={key}
            onText={setKey}
            autocomplete="off"
            required
            problem={model.problem}
          />
        </div>
        {!isReset && <SetupFacts model={model} />}
        <div class="row">
          <button class="btn main">{isReset ? "Set it and sign in" : "Create and go on"}</button>
        </div>
      </PostForm>
    </div>
  );
}

function SetupFacts(props: { readonly model: SetupPage }) {
  const { model } = props;
  return (
    <dl class="facts">
      <dt>What is published lives in</dt>
      <dd>
        <code class="outside">{model.dataFolder}</code>
      </dd>
      {model.freeBytes !== null && (
        <>
          <dt>Free there</dt>
          <dd>{formatBytes(model.freeBytes)}</dd>
        </>
      )}
      <dt>Who may publish</dt>
      <dd>only you</dd>
    </dl>
  );
}

function SetupDone() {
  return (
    <div class="stack lone">
      <h1>Setup is done</h1>
      <p>This hub has its administrator already. A setup link works once.</p>
      <div class="row">
        <a class="btn main" href="/login">
          Sign in
        </a>
        <a class="btn" href="/">
          Catalogue
        </a>
      </div>
    </div>
  );
}

function SetupElsewhere() {
  return (
    <div class="stack lone">
      <h1>Setup is open on the terminal</h1>
      <Note mood="wait" title="This hub is new and belongs to nobody yet.">
        <p>
          Open the one-time link that <code>everseed hub start</code> printed on the terminal of the
          machine where it runs. It is good for 30 minutes; starting the hub again prints a new one.
        </p>
      </Note>
    </div>
  );
}
