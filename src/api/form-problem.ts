/** Why a form came back. */
export interface FormProblem {
  /** The field it belongs to; null for the whole form. */
  readonly field: string | null;
  readonly message: string;
  readonly hint: string | null;
  /** Seconds until another try makes sense; null when at once. */
  readonly waitSeconds: number | null;
}
