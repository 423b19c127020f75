import type { LoginPage } from "../../src/api/pages.ts";
import { Field, PasswordField, Problem } from "../parts/form.tsx";
import { PostForm } from "../parts/post-form.tsx";

/** Sign in, and return to the previous page. */
export function LoginView(props: { readonly model: LoginPage }) {
  const { model } = props;
  const firstTry = model.name === "";
  return (
    <div class="stack lone">
      <h1>Sign in</h1>
      <PostForm class="form card" action="/login">
        <Problem problem={model.problem} />
        <input type="hidden" name="next" value={model.next} />
        <Field
          id="name"
          name="name"
          label="Name"
          defaultValue={model.name}
          autocomplete="username"
          required
          autoFocus={firstTry && model.problem === null}
          problem={model.problem}
        />
        <PasswordField
          id="password"
          name="password"
          label="Password"
          autocomplete="current-password"
          required
          autoFocus={!firstTry && model.problem === null}
          problem={model.problem}
        />
        <div class="row">
          <button class="btn main">Sign in</button>
        </div>
      </PostForm>
      <details class="small">
        <summary>Forgot the password?</summary>
        <p>
          The person who runs this hub can give you a new one on its machine, while it runs:{" "}
          <code>everseed hub setup-link --data DIR</code> prints a link that works once, and{" "}
          <code>everseed hub password NAME --data DIR --password-file FILE</code> sets it at once.
        </p>
      </details>
    </div>
  );
}
