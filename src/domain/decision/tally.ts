import type { DecisionQuestion } from './decision-index.ts';
import type { Truth } from './decision-request.ts';
import type { EffectiveSubject } from './effective-subjects.ts';
import type { Decision, DecisionReason } from './use-cases.ts';

// What was found on the way to a decision. A deny whose condition could not be answered applies; an allow whose condition could not
// be answered does not (architecture.md "Fail-closed table"). Times are epoch ms, Infinity for good.

/** Grants and rules named by one decision, each. */
const MAX_NAMED = 16;
/** Attributes named by one decision. */
const MAX_MISSING = 100;

/** What decides: a grant by its id or a rule by its name. */
export type Source = { readonly kind: 'grant' | 'rule'; readonly name: string };

interface Side {
  until: number;
  grantIds: string[] | undefined;
  ruleNames: string[] | undefined;
}

export class Tally {
  #allow: Side | undefined;
  #deny: Side | undefined;
  /** Denies that apply for want of an answer. */
  #unsure: Side | undefined;
  #missing: Set<string> | undefined;

  /** An allow or deny that covers the question, held by `by`. `expiry` is epoch ms, 0: for good. */
  add(kind: Source['kind'], name: string, deny: boolean, by: EffectiveSubject, expiry: number, truth: Truth): void {
    if (truth === false) return;
    const end = expiry === 0 ? Number.POSITIVE_INFINITY : expiry;
    const isCertain = truth === true && by.certain > 0;
    if (deny) {
      if (isCertain) this.#deny = noted(this.#deny, kind, name, Math.min(by.possible, end));
      else this.#unsure = noted(this.#unsure, kind, name, Math.min(by.possible, end));
    } else if (isCertain) this.#allow = noted(this.#allow, kind, name, Math.min(by.certain, end));
    if (isCertain) return;
    this.#missing ??= new Set();
    if (truth !== true) for (const each of truth) this.#missing.add(each);
    if (by.certain === 0) for (const each of by.missing ?? []) this.#missing.add(each);
  }

  decision(question: DecisionQuestion, isNamed: () => boolean): Decision {
    const { subject, credentialExpiresAt = Number.POSITIVE_INFINITY } = question;
    const allowUntil = Math.min(this.#allow?.until ?? 0, credentialExpiresAt);
    if (this.#deny !== undefined || this.#unsure !== undefined) return this.#denied(question, allowUntil);
    if (this.#allow !== undefined) {
      const { grantIds, ruleNames } = this.#allow;
      // The usual answer, by itself: taking objects apart to put one together takes longer than all else here.
      if (ruleNames === undefined && !Number.isFinite(allowUntil)) {
        return { effect: 'allow', reason: 'GRANTED', subject, grantIds };
      }
      const expiry = Number.isFinite(allowUntil) ? { expiresAt: allowUntil } : undefined;
      return { effect: 'allow', reason: 'GRANTED', subject, ...namesOf(this.#allow), ...expiry };
    }
    if (this.#missing !== undefined) {
      return { effect: 'deny', reason: 'CONTEXT_MISSING', subject, missingContext: this.#missingNames() };
    }
    return deny(question, isNamed() ? 'NO_MATCH' : 'UNKNOWN_PERMISSION');
  }

  /** The answer changes by itself only if, when the last deny ends, an allow is still there. */
  #denied(question: DecisionQuestion, allowUntil: number): Decision {
    const until = Math.max(this.#deny?.until ?? 0, this.#unsure?.until ?? 0);
    const expiry = until < allowUntil ? { expiresAt: until } : undefined;
    const { subject } = question;
    if (this.#deny !== undefined) {
      return { effect: 'deny', reason: 'DENIED_BY_RULE', subject, ...namesOf(this.#deny), ...expiry };
    }
    const missingContext = this.#missingNames();
    return { effect: 'deny', reason: 'CONDITION_ERROR', subject, ...namesOf(this.#unsure), missingContext, ...expiry };
  }

  #missingNames(): readonly string[] {
    return [...(this.#missing ?? [])].sort().slice(0, MAX_MISSING);
  }
}

export function deny(question: DecisionQuestion, reason: DecisionReason): Decision {
  return { effect: 'deny', reason, subject: question.subject };
}

function noted(side: Side | undefined, kind: Source['kind'], name: string, until: number): Side {
  const known = side ?? { until: 0, grantIds: undefined, ruleNames: undefined };
  known.until = Math.max(known.until, until);
  if (kind === 'grant') known.grantIds = named(known.grantIds, name);
  else known.ruleNames = named(known.ruleNames, name);
  return known;
}

function named(names: string[] | undefined, name: string): string[] {
  if (names === undefined) return [name];
  if (names.length < MAX_NAMED && !names.includes(name)) names.push(name);
  return names;
}

function namesOf(side: Side | undefined): Pick<Decision, 'grantIds' | 'ruleNames'> {
  if (side?.ruleNames === undefined) return { grantIds: side?.grantIds };
  return side.grantIds === undefined
    ? { ruleNames: side.ruleNames }
    : { grantIds: side.grantIds, ruleNames: side.ruleNames };
}
