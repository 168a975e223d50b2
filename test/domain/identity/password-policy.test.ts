import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIdentity } from '../../../src/domain/identity/create-identity.ts';
import {
  brokenRules,
  describeRule,
  leastChars,
  type PasswordFacts,
} from '../../../src/domain/identity/password-policy.ts';
import { type PasswordPolicy, tenantsOf } from '../../../src/domain/tenant/tenant.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { callBy, memoryWorld, type World } from './identity-world.ts';

const call = callBy();
const tenant = 'default';

const policy: PasswordPolicy = {
  mode: 'default',
  minChars: 12,
  upperCase: true,
  number: true,
  special: true,
  breachedCheck: true,
  breachedLookup: 'off',
};

async function setPolicy({ store, clock }: World, changes: Partial<PasswordPolicy>): Promise<void> {
  const stored = await tenantsOf(store).get('sallyport', tenant);
  assert.ok(stored);
  await tenantsOf(store).replace({ ...stored, settings: { passwordPolicy: changes } }, stored.version);
  clock.advance(30_000);
}

const facts = (password: string, more: Partial<PasswordFacts> = {}): PasswordFacts => ({
  password,
  hasFactor: false,
  context: ['ada.lovelace@example.com', 'Countess Ada', 'sallyport'],
  estimate: { common: false, score: 4 },
  breached: false,
  unchanged: false,
  ...more,
});

test('in mode default each rule can be missed alone, and letters of any script count', () => {
  const rules = (password: string, more: Partial<PasswordFacts> = {}) => brokenRules(policy, facts(password, more));
  assert.deepEqual(rules('Abcdefgh1jk!'), []);
  assert.deepEqual(rules('Abcdefg1jk!'), ['min_length']);
  assert.deepEqual(rules('abcdefgh1jk!'), ['upper_case']);
  assert.deepEqual(rules('Abcdefghijk!'), ['number']);
  assert.deepEqual(rules('Abcdefgh1jkl'), ['special']);
  assert.deepEqual(rules('Ключ-от-неба-7'), []);
  assert.deepEqual(rules('𝔸bcdefgh1j!'), ['min_length'], 'characters are counted, not their halves');
  assert.deepEqual(rules('Abcdefgh1jk!', { estimate: { common: true, score: 4 } }), ['common']);
  assert.deepEqual(rules('Abcdefgh1jk!', { estimate: { common: false, score: 2 } }), ['guessable']);
  assert.deepEqual(rules('Abcdefgh1jk!', { breached: true, unchanged: true }), ['breached', 'unchanged']);
  assert.deepEqual(rules('Lovelace-18-15!'), [], 'the estimate judges what is known of the user');
});

test('in mode nist length and context count, and nothing of composition or score', () => {
  const nist = { ...policy, mode: 'nist' } as const;
  const rules = (password: string, more: Partial<PasswordFacts> = {}) => brokenRules(nist, facts(password, more));
  const weak = { common: false, score: 0 };
  assert.deepEqual(rules('a'.repeat(15), { estimate: weak }), []);
  assert.deepEqual(rules('a'.repeat(14)), ['min_length']);
  assert.deepEqual(rules('a'.repeat(8), { hasFactor: true }), []);
  assert.deepEqual(rules('a'.repeat(7), { hasFactor: true }), ['min_length']);
  assert.deepEqual(rules('a'.repeat(15), { estimate: { common: true, score: 0 } }), ['common']);
  for (const password of ['i-am-LOVELACE-1815', 'my-sallyport-key', 'the-countess-one']) {
    assert.deepEqual(rules(password.padEnd(15, 'x')), ['context'], password);
  }
  assert.equal(leastChars({ ...nist, minChars: 20 }, false), 20);
});

test('the passwords that everybody uses are refused wherever one is set, with all rules at once', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  for (const password of ['Password1234!', 'Summer2026!!', 'Qwerty123456!']) {
    await assert.rejects(world.identity.setPassword(call, tenant, user.id, password, false), (error: Error) => {
      const { reason, metadata } = error as Error & { reason: string; metadata: { rules: string } };
      assert.equal(reason, 'PASSWORD_REJECTED');
      assert.match(metadata.rules, /common/);
      return !error.message.includes(password);
    });
    const { broken } = await world.identity.checkPassword(call, { tenant, password, userId: '', context: [] });
    assert.ok(broken.some(({ rule }) => rule === 'common'));
  }
  const all = await world.identity.checkPassword(call, { tenant, password: 'short', userId: '', context: [] });
  assert.deepEqual(
    all.broken.map(({ rule }) => rule),
    ['min_length', 'upper_case', 'number', 'special', 'common', 'guessable'],
  );
  assert.ok(all.score < 3);
});

test('a refusal says in a sentence for each rule what the password must be like, and names the rules for programs', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  await assert.rejects(world.identity.setPassword(call, tenant, user.id, 'Short-Harbour', false), {
    reason: 'PASSWORD_REJECTED',
    message: 'The password must have a number.',
    metadata: { rules: 'number' },
  });
  await assert.rejects(world.identity.setPassword(call, tenant, user.id, 'short', false), {
    message:
      'The password must have at least 12 characters. It must have an upper-case letter. It must have a number. It must have a character ' +
      'that is neither a letter nor a number. It must not be a common one, in whatever spelling. It must be harder to guess.',
    metadata: { rules: 'min_length,upper_case,number,special,common,guessable' },
  });
  const { broken } = await world.identity.checkPassword(call, { tenant, password: 'short', userId: '', context: [] });
  assert.equal(broken[1]?.description, 'The password must have an upper-case letter.');
  const every = ['context', 'breached', 'unchanged'] as const;
  assert.deepEqual(
    every.map((rule) => describeRule(policy, rule, false)),
    [
      'The password must not contain a name of the user or of the service.',
      'The password must not be one that is known from a breach.',
      'The password must be another one than before.',
    ],
  );
});

test('a tenant in mode nist takes a long phrase without digits, and refuses the name of its user', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  await setPolicy(world, { mode: 'nist' });
  await world.identity.setPassword(call, tenant, user.id, 'violin paper lagoon', false);
  const verdict = await world.identity.checkPassword(call, {
    tenant,
    password: 'lovelace-was-here-first',
    userId: user.id,
    context: ['Ada Lovelace'],
  });
  assert.deepEqual(
    verdict.broken.map(({ rule }) => rule),
    ['context'],
  );
});

test('a breached password is refused; what an outage means is the tenant’s setting', async () => {
  await using world = await memoryWorld();
  let answer: () => boolean = () => true;
  const identity = createIdentity({ ...world.ports, breachedPasswords: { has: async () => answer() } });
  const user = await world.user();
  const set = () => identity.setPassword(call, tenant, user.id, 'Paper-Umbrella-93-Lagoon', false);
  await set();
  await setPolicy(world, { breachedLookup: 'skip_on_outage' });
  await assert.rejects(set(), { reason: 'PASSWORD_REJECTED' });
  answer = () => {
    throw new Fault('UNAVAILABLE', 'cut off');
  };
  await set();
  await setPolicy(world, { breachedLookup: 'refuse_on_outage' });
  await assert.rejects(set(), { code: 'UNAVAILABLE' });
});
