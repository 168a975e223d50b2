import { DomainError, type Violation } from './errors.ts';
import { limits } from './limits.ts';

// Requests are parsed, not validated: a parser takes a value and its field path, returns the domain value, and notes what is
// wrong here. One InvalidArgument then lists up to 20 violations and how many there were.

export class Violations {
  #noted: Violation[] | undefined;
  #count = 0;

  /** `description` says what was wrong and what is accepted; it must not echo a secret. */
  add(field: string, description: string): void {
    this.#count += 1;
    this.#noted ??= [];
    if (this.#noted.length < limits.violationsReported) this.#noted.push({ field, description });
  }

  /** The first of them, up to the limit of what is reported. */
  get noted(): readonly Violation[] {
    return this.#noted ?? [];
  }

  get count(): number {
    return this.#count;
  }

  /** Ends parsing: throws INVALID_ARGUMENT when anything was noted. */
  throwIfAny(): void {
    if (this.#noted === undefined) return;
    const first = this.#noted[0];
    const more = this.#count > 1 ? ` (and ${this.#count - 1} more)` : '';
    throw new DomainError('INVALID_ARGUMENT', `${first?.field}: ${first?.description}${more}`, {
      violations: this.#noted,
      violationCount: this.#count,
    });
  }
}
