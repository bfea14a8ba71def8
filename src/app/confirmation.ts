/** Asks a person before something is changed. */
export interface Confirmation<Shown> {
  /** False if there is nobody to ask. */
  readonly canAsk: boolean;
  /** Shows what would be done and asks; true for yes. Only if `canAsk`. */
  confirm(question: string, shown: Shown): boolean;
}
