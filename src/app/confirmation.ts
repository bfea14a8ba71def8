/** Whoever is asked before something is changed. */
export interface Confirmation<Shown> {
  /** False where there is nobody to be asked. */
  readonly canAsk: boolean;
  /** Shows what would be done, asks, and is told yes (true) or no. Only where `canAsk`. */
  confirm(question: string, shown: Shown): boolean;
}
