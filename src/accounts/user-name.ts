/** The rule for names: 2 to 32 characters. */
export const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{1,31}$/;
