import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Effect, DecisionReason as Reason } from '../../gen/sallyport/v1/decision_pb.ts';
import type { Decision } from '../../src/domain/decision/use-cases.ts';
import type { ApiKeyDocument } from '../../src/domain/keys/use-cases.ts';
import { toVerifyApiKeyResponse } from '../../src/rpc/convert/to-verified-api-key.ts';

const subject = { type: 'service', id: 'billing' } as const;

function document(displayName: string): ApiKeyDocument {
  const secrets = [{ mac: 'mac', keyId: 'k1', createdAt: 1_000 }];
  const key = {
    tenant: 'default',
    id: 'key-1',
    version: '1',
    schema: 1,
    keys: [],
    subject,
    displayName,
    test: false,
    prefix: 'sp_live_abcd',
  };
  return { ...key, owner: 'service:billing', secrets, scopes: [], createdAt: 1_000 };
}

const allow: Decision = { effect: 'allow', reason: 'GRANTED', subject, grantIds: ['g1', 'g2'], expiresAt: 9_000 };

test('the same verdict on a key is told by the same message, any other by another', () => {
  const key = document('Billing');
  const first = toVerifyApiKeyResponse({ decision: allow, key });
  assert.equal(first.decision?.effect, Effect.ALLOW);
  assert.deepEqual(first.decision?.grantIds, ['g1', 'g2']);
  assert.equal(toVerifyApiKeyResponse({ decision: { ...allow, grantIds: ['g1', 'g2'] }, key }), first);

  const others: readonly Decision[] = [
    { ...allow, effect: 'deny', reason: 'DENIED_BY_RULE' },
    { ...allow, reason: 'NO_MATCH' },
    { ...allow, expiresAt: 9_001 },
    { ...allow, expiresAt: undefined },
    { ...allow, grantIds: ['g1'] },
    { ...allow, grantIds: ['g1', 'g3'] },
    { ...allow, grantIds: undefined },
    { ...allow, ruleNames: ['r1'] },
    { ...allow, missingContext: ['context.ip'] },
    { ...allow, subject: { ...subject, id: 'mail' } },
    { ...allow, subject: { ...subject, type: 'user' } },
    { ...allow, subject: { ...subject, relation: 'member' } },
    { ...allow, subject: undefined },
  ];
  for (const decision of others) {
    const told = toVerifyApiKeyResponse({ decision, key });
    assert.notEqual(told, toVerifyApiKeyResponse({ decision: allow, key }), JSON.stringify(decision));
    assert.equal(told.decision?.reason, Reason[decision.reason]);
    assert.deepEqual(told.decision?.grantIds, decision.grantIds ?? []);
  }
});

test('a key that was read again is told as it is now', () => {
  const before = toVerifyApiKeyResponse({ decision: allow, key: document('Billing') });
  const after = toVerifyApiKeyResponse({ decision: allow, key: document('Invoices') });
  assert.equal(before.key?.displayName, 'Billing');
  assert.equal(after.key?.displayName, 'Invoices');
});

test('an unknown key is told without one', () => {
  const told = toVerifyApiKeyResponse({ decision: { effect: 'deny', reason: 'CREDENTIAL_INVALID' } });
  assert.equal(told.key, undefined);
  assert.equal(told.decision?.effect, Effect.DENY);
});
