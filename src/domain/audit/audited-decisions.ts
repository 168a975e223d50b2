import type { CallContext } from '../call.ts';
import { parseRevision } from '../decision/revision-token.ts';
import type { AuthorizeOutcome, BatchOutcome, DecisionUseCases, Question } from '../decision/use-cases.ts';
import type { KeyUseCases, VerifiedApiKey } from '../keys/use-cases.ts';
import type { NoteDenial } from './denial-notes.ts';
import type { PolicyTrail } from './policy-trail.ts';

// Decisions that were denied, and writes of what decisions are made from, as events. An allow costs one comparison more.

export interface AuditedDecisionPorts {
  readonly note: NoteDenial;
  readonly trail: Pick<PolicyTrail, 'record'>;
}

export function auditedDecisions(decisions: DecisionUseCases, ports: AuditedDecisionPorts): DecisionUseCases {
  const { note } = ports;
  const toldOne = (call: CallContext, tenant: string, question: Question, outcome: AuthorizeOutcome) => {
    if (outcome.decision.effect !== 'allow') note(call, tenant, outcome.decision, question);
    return outcome;
  };
  const toldAll = (call: CallContext, input: Parameters<DecisionUseCases['batchAuthorize']>[1], all: BatchOutcome) => {
    for (const [index, answer] of all.answers.entries()) {
      const item = input.items[index];
      if (answer.kind !== 'decision' || item?.kind !== 'question' || answer.decision.effect === 'allow') continue;
      note(call, input.tenant, answer.decision, item.question);
    }
    return all;
  };
  return {
    ...decisions,
    authorize: (call, input) => {
      const outcome = decisions.authorize(call, input);
      if (!(outcome instanceof Promise)) return toldOne(call, input.tenant, input, outcome);
      return outcome.then((late) => toldOne(call, input.tenant, input, late));
    },
    batchAuthorize: (call, input) => {
      const outcome = decisions.batchAuthorize(call, input);
      if (!(outcome instanceof Promise)) return toldAll(call, input, outcome);
      return outcome.then((late) => toldAll(call, input, late));
    },
    applyPolicy: async (call, input) => {
      const stored = await decisions.applyPolicy(call, input);
      if (!input.dryRun) await recordWrite(ports, call, input.tenant, stored.revision);
      return stored;
    },
    writeGrants: async (call, input) => {
      const written = await decisions.writeGrants(call, input);
      await recordWrite(ports, call, input.tenant, written.revision);
      return written;
    },
  };
}

/** VerifyApiKey answers with a decision too. */
export function auditedKeyChecks(keys: KeyUseCases, note: NoteDenial): KeyUseCases {
  return {
    ...keys,
    verifyApiKey: (call, input) => {
      const told = (verified: VerifiedApiKey): VerifiedApiKey => {
        if (verified.decision.effect !== 'allow') note(call, input.tenant, verified.decision, input);
        return verified;
      };
      const verified = keys.verifyApiKey(call, input);
      return verified instanceof Promise ? verified.then(told) : told(verified);
    },
  };
}

async function recordWrite(
  { trail }: AuditedDecisionPorts,
  call: CallContext,
  tenant: string,
  revision: string,
): Promise<void> {
  await trail.record(call, tenant, parseRevision(revision, 'revision').revision);
}
