import { useEffect } from "preact/hooks";
import type { AccountPage, PageFrame } from "../../src/api/pages.ts";
import type { SessionEntry, Token } from "../../src/api/accounts.ts";
import { Copy } from "../parts/copy.tsx";
import { Field, PasswordField, Problem } from "../parts/form.tsx";
import { Note, Outside, When } from "../parts/words.tsx";
import { PostForm } from "../parts/post-form.tsx";

const passwordMin = 10;

/** A person's own account: tokens for programs, sessions, the password. */
export function AccountView(props: { readonly model: AccountPage; readonly frame: PageFrame }) {
  const { model, frame } = props;
  // Forms answer under their own address; a reload should come back here, not send them again.
  useEffect(() => {
    if (location.pathname !== "/account") history.replaceState(null, "", "/account");
  }, []);
  return (
    <div class="stack">
      <div class="row apart">
        <div class="stack tight">
          <h1>Account</h1>
          {frame.user !== null && (
            <p class="small">
              <Outside text={frame.user.name} />,{" "}
              {frame.user.role === "admin" ? "administrator" : "member"}
            </p>
          )}
        </div>
        <PostForm action="/logout">
          <button class="btn">Sign out</button>
        </PostForm>
      </div>
      <Problem problem={model.problem} />
      {model.notice !== null && <Note mood="good" title={model.notice} alert />}
      {model.createdToken !== null && <CreatedToken {...model.createdToken} />}
      <Tokens tokens={model.tokens} problem={model.problem} />
      <Sessions sessions={model.sessions} />
      <ChangePassword problem={model.problem} name={frame.user?.name ?? ""} />
    </div>
  );
}

function CreatedToken(props: { readonly name: string; readonly token: string }) {
  return (
    <Note
      mood="good"
      title={
        <>
          Token “<Outside text={props.name} charactersMax={60} />” is made
        </>
      }
      alert
    >
      <p>Copy it now: it is not shown again.</p>
      <Copy text={props.token} what="token" />
    </Note>
  );
}

function Tokens(props: {
  readonly tokens: readonly Token[];
  readonly problem: AccountPage["problem"];
}) {
  return (
    <section class="card stack" aria-labelledby="tokens-title">
      <div class="stack tight">
        <h2 id="tokens-title">API tokens</h2>
        <p class="small">
          A program signs in with a token instead of your password:{" "}
          <code>everseed publish PATH --to URL --token-file F</code>
        </p>
      </div>
      {props.tokens.length === 0 ? (
        <p>There are none yet.</p>
      ) : (
        <ul class="list">
          {props.tokens.map((token) => (
            <li key={token.id}>
              <strong>
                <Outside text={token.name} />
              </strong>
              <div class="meta">
                <span>
                  <code>{token.start}…</code>
                </span>
                <span>{token.scope === "admin" ? "may do everything" : "may publish"}</span>
                <span>
                  expires <When at={token.expiresAt} />
                </span>
                <span>
                  last used <When at={token.lastUsedAt} />
                </span>
              </div>
              <PostForm
                class="end acts"

                action={`/account/tokens/${encodeURIComponent(token.id)}/revoke`}
              >
                <button class="btn" aria-label={`Revoke ${token.name}`}>
                  Revoke
                </button>
              </PostForm>
            </li>
          ))}
        </ul>
      )}
      <details open={props.tokens.length === 0 || props.problem?.field === "name"}>
        <summary>New token</summary>
        <PostForm class="form" action="/account/tokens">
          <Field
            id="token-name"
            name="name"
            label="What for"
            prose
            help="So that you know later which one to revoke: “laptop”, “backup script”."
            maxLength={60}
            required
            autocomplete="off"
            problem={props.problem}
          />
          <label>
            May
            <select name="scope">
              <option value="publish">publish, and see its own uploads</option>
              <option value="admin">do everything you may</option>
            </select>
          </label>
          <label>
            Good for
            <select name="expiresInDays">
              <option value="7">7 days</option>
              <option value="30">30 days</option>
              <option value="90" selected>
                90 days
              </option>
              <option value="366">1 year</option>
            </select>
          </label>
          <div class="row">
            <button class="btn main">Make the token</button>
          </div>
        </PostForm>
      </details>
    </section>
  );
}

function Sessions(props: { readonly sessions: readonly SessionEntry[] }) {
  return (
    <section class="card stack" aria-labelledby="sessions-title">
      <h2 id="sessions-title">Signed in at</h2>
      <ul class="list">
        {props.sessions.map((session) => (
          <li key={session.id}>
            <strong>
              <Outside text={deviceOf(session.userAgent)} charactersMax={80} />
            </strong>
            <div class="meta">
              {session.address !== null && (
                <span>
                  <Outside text={session.address} />
                </span>
              )}
              <span>
                since <When at={session.createdAt} />
              </span>
              {!session.current && (
                <span>
                  last seen <When at={session.lastSeenAt} />
                </span>
              )}
            </div>
            <div class="end acts">
              {session.current ? (
                <span class="tag">this one</span>
              ) : (
                <PostForm action={`/account/sessions/${encodeURIComponent(session.id)}/end`}>
                  <button class="btn">End</button>
                </PostForm>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ChangePassword(props: {
  readonly problem: AccountPage["problem"];
  readonly name: string;
}) {
  return (
    <section class="card stack" aria-labelledby="password-title">
      <h2 id="password-title">Password</h2>
      <details open={props.problem?.field === "current" || props.problem?.field === "password"}>
        <summary>Change the password</summary>
        <PostForm class="form" action="/account/password">
          {/* Tells a password manager whose password this is. */}
          <input
            type="text"
            name="username"
            autocomplete="username"
            value={props.name}
            readOnly
            hidden
          />
          <PasswordField
            id="current"
            name="current"
            label="Password now"
            autocomplete="current-password"
            required
            problem={props.problem}
          />
          <PasswordField
            id="new-password"
            name="password"
            label="New password"
            help={`At least ${passwordMin} characters. Other places where you are signed in are signed out.`}
            autocomplete="new-password"
            minLength={passwordMin}
            maxLength={256}
            required
            problem={props.problem}
          />
          <div class="row">
            <button class="btn">Change it</button>
          </div>
        </PostForm>
      </details>
    </section>
  );
}

const browsers: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

/** @returns `Firefox on Linux`, or what the program calls itself. */
function deviceOf(userAgent: string | null): string {
  if (userAgent === null || userAgent === "") return "Unknown device";
  const browser = browsers.find(([pattern]) => pattern.test(userAgent));
  const system = systems.find(([pattern]) => pattern.test(userAgent));
  if (browser === undefined) return userAgent;
  return system === undefined ? browser[1] : `${browser[1]} on ${system[1]}`;
}
