import { DomainError } from '../errors.ts';

// How much one decision, and one call of many decisions, may take. Counted, not timed, so the same question is answered or refused
// alike everywhere. A unit is about 50 ns, as in condition-costs.ts.

/** About 20 ms. */
export const MAX_DECISION_WORK = 400_000;
/** About 100 ms, for all decisions of one call, which are made in one turn of the event loop. */
export const MAX_CALL_WORK = 2_000_000;

export class DecisionWork {
  readonly #total: number;
  #spent = 0;
  #until = 0;

  /** `total` is in units, for all decisions that it is given to. */
  constructor(total: number) {
    this.#total = total;
  }

  get isUsedUp(): boolean {
    return this.#spent >= this.#total;
  }

  /** The next decision begins. */
  begin(): void {
    this.#until = Math.min(this.#spent + MAX_DECISION_WORK, this.#total);
  }

  /** Throws LIMIT_EXCEEDED when the decision, or the call, has taken too much. */
  spend(units: number): void {
    this.#spent += units;
    if (this.#spent <= this.#until) return;
    const what =
      this.isUsedUp && this.#total > MAX_DECISION_WORK ? 'the decisions of one call take' : 'the decision takes';
    throw new DomainError('LIMIT_EXCEEDED', `${what} too many grants and conditions to make`, {
      metadata: { limit: 'decisionWork' },
    });
  }
}
