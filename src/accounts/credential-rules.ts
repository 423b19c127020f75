import { AccountsError } from "./accounts-error.ts";
import { USER_NAME } from "./user-name.ts";

/** The rules for names and passwords. */

export const PASSWORD_CHARACTERS = { min: 10, max: 256 };

/** @throws {AccountsError} `bad-name`. */
export function checkName(name: string): void {
  if (USER_NAME.test(name)) return;
  throw new AccountsError(
    "bad-name",
    "A name has 2 to 32 letters, digits, dots, dashes or underscores, and begins with a letter or digit.",
  );
}

/** @throws {AccountsError} `weak-password`. */
export function checkPassword(password: string, name: string): void {
  const { min, max } = PASSWORD_CHARACTERS;
  const characters = [...password].length;
  if (characters < min || characters > max) {
    throw new AccountsError("weak-password", `A password has ${min} to ${max} characters.`);
  }
  if (new Set(password).size < 4 || password.toLowerCase().includes(name.toLowerCase())) {
    throw new AccountsError("weak-password", "This password is too easy to guess.");
  }
}
