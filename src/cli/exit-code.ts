/** The meaning of exit codes for scripts, as in the manual. */
export const EXIT = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  notFound: 3,
  conflict: 4,
  notAllowed: 5,
  network: 6,
  wrongData: 7,
  disk: 8,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
