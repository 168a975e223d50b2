import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CallContext } from '../../../src/domain/call.ts';
import { DomainError } from '../../../src/domain/errors.ts';
import type { ApiKeyDocument } from '../../../src/domain/keys/use-cases.ts';
import { isAudienceAllowed } from '../../../src/domain/session/allowed-audiences.ts';
import { createSessionStarter } from '../../../src/domain/session/create-session-starter.ts';
import type { IssuedTokens } from '../../../src/domain/session/use-cases.ts';
import { addUser, callOf, createWorld, TOKENS, type World } from './world.ts';

// Who tokens may be for: the tenant and the credential of the service each say it, and both must allow it, at every signature.

const USER = { type: 'user', id: 'ada' } as const;
const NOT_ALLOWED = { kind: 'rejection', reason: 'AUDIENCE_NOT_ALLOWED' };

/** A call of the service `shop`, whose key allows these audiences. */
function callFor(audiences: readonly string[] | undefined): CallContext {
  const call = callOf();
  return { ...call, caller: { ...call.caller, audiences } };
}

function worldOf(allowedAudiences: readonly string[]): World {
  return createWorld({ settings: { allowedAudiences } });
}

function issue(world: World, call: CallContext, audience: readonly string[]) {
  const proof = { kind: 'subject' as const, subject: { type: 'service', id: 'batch' } };
  const request = { ...TOKENS, audience };
  return world.sessions.issueTokens(call, { tenant: 'default', proof, request, client: {}, requestId: '' });
}

const refuses = (field: string, whose: string) => (error: unknown) =>
  error instanceof DomainError &&
  error.violations.some((each) => each.field === field && each.description.includes(whose));

async function makeKey(world: World, allowedAudiences?: readonly string[]): Promise<{ id: string; text: string }> {
  const owner = { type: 'service', id: 'billing' };
  const input = { tenant: 'default', owner, displayName: '', test: false, scopes: [], requestId: '', allowedAudiences };
  const { key, secret } = await world.keys.createApiKey(callOf(), input);
  return { id: key.id, text: secret ?? assert.fail('no secret') };
}

const names = fc.constantFrom('api', 'reports', 'billing', 'shop');
const list = fc.uniqueArray(names);
const bound = fc.option(list, { nil: undefined });

test('tokens are issued, and their session rotated, exactly where tenant and calling service both allow every audience', async () => {
  const given = [list, bound, list, bound, fc.uniqueArray(names, { minLength: 1 })] as const;
  await fc.assert(
    fc.asyncProperty(...given, async (ofTenant, ofCaller, tenantLater, callerLater, audience) => {
      const within = (tenant: readonly string[], caller: readonly string[] | undefined): boolean =>
        audience.every((each) => (tenant.length === 0 || tenant.includes(each)) && (caller?.includes(each) ?? true));
      const world = worldOf(ofTenant);
      const issued = await issue(world, callFor(ofCaller), audience).catch((error: unknown) => {
        assert.ok(error instanceof DomainError && error.reason === 'INVALID_ARGUMENT');
        return undefined;
      });
      assert.equal(issued?.kind, within(ofTenant, ofCaller) ? 'tokens' : undefined);
      if (issued?.kind !== 'tokens') return;
      Object.assign(world.settings, { allowedAudiences: tenantLater });
      const rotation = { tenant: 'default', refreshToken: issued.refreshToken, scopes: [], client: {} };
      const outcome = await world.sessions.rotateRefresh(callFor(callerLater), rotation);
      if (within(tenantLater, callerLater)) assert.equal(outcome.kind, 'tokens');
      else assert.deepEqual(outcome, NOT_ALLOWED);
    }),
    { numRuns: 200 },
  );
});

test('a session whose audience is no longer allowed is refused at its next rotation, and goes on where it is allowed again', async () => {
  const world = worldOf([]);
  const issued = (await issue(world, callFor(['api']), ['api'])) as IssuedTokens;
  const rotation = { tenant: 'default', refreshToken: issued.refreshToken, scopes: [], client: {} };
  for (let use = 0; use < 5; use += 1) {
    assert.deepEqual(await world.sessions.rotateRefresh(callFor(['reports']), rotation), NOT_ALLOWED);
  }
  const next = await world.sessions.rotateRefresh(callFor(['api', 'reports']), rotation);
  assert.equal(next.kind, 'tokens', 'nothing was spent');
  // The repeat of a lost answer signs as well.
  assert.deepEqual(await world.sessions.rotateRefresh(callFor([]), rotation), NOT_ALLOWED);
});

test('a login that asks for tokens at once is bound as IssueTokens is, also when it is repeated', async () => {
  const world = worldOf([]);
  await addUser(world, 'ada');
  const starter = createSessionStarter({ ...world, accessTokens: world.accessTokens });
  const login = { tenant: 'default', subject: USER, epoch: 1, methods: [], sessionId: 'one-session-of-one-login' };
  const start = (call: CallContext, audience: readonly string[]) =>
    starter.start(call, login, { ...TOKENS, audience }, {});
  await assert.rejects(start(callFor(['api']), ['reports']), refuses('options.audience[0]', 'calling service'));
  assert.equal((await start(callFor(['api']), ['api'])).kind, 'tokens');
  // The repeat would get the options of the first start, whatever it asks for itself.
  assert.deepEqual(await start(callFor(['reports']), ['reports']), NOT_ALLOWED);
});

test("a service's own key bounds the tokens it gets by it, beside the tenant and the calling service", async () => {
  const world = worldOf(['api', 'reports', 'shop']);
  const { text } = await makeKey(world, ['api', 'billing']);
  const ask = (call: CallContext, audience: string) =>
    world.sessions.issueTokens(call, {
      tenant: 'default',
      proof: { kind: 'api_key', key: text },
      request: { ...TOKENS, audience: [audience] },
      client: {},
      requestId: '',
    });
  assert.equal((await ask(callFor(undefined), 'api')).kind, 'tokens');
  await assert.rejects(ask(callFor(undefined), 'reports'), refuses('options.audience[0]', "the API key's"));
  await assert.rejects(ask(callFor(undefined), 'billing'), refuses('options.audience[0]', "the tenant's"));
  await assert.rejects(ask(callFor(['shop']), 'api'), refuses('options.audience[0]', "the calling service's"));
});

test('an exchange is bound by the calling service, and by the key of the actor, also behind a token got by it', async () => {
  const world = worldOf([]);
  const subject = (await issue(world, callOf(), ['shop'])) as IssuedTokens;
  const { text, id } = await makeKey(world, ['shop', 'invoicing']);
  const own = await world.sessions.issueTokens(callOf(), {
    tenant: 'default',
    proof: { kind: 'api_key', key: text },
    request: { ...TOKENS, audience: ['shop'] },
    client: {},
    requestId: '',
  });
  assert.ok(own.kind === 'tokens' && own.sessionId === id);
  const actors = [
    { kind: 'api_key', key: text },
    { kind: 'access_token', token: own.accessToken },
  ] as const;
  for (const actor of [...actors, { kind: 'caller' } as const]) {
    const exchange = (call: CallContext, audience: string) =>
      world.sessions.exchangeToken(call, {
        tenant: 'default',
        subjectToken: subject.accessToken,
        ownAudience: 'shop',
        request: { ...TOKENS, audience: [audience] },
        actor,
        client: {},
      });
    assert.equal((await exchange(callFor(['invoicing']), 'invoicing')).kind, 'exchanged');
    const beyond = (whose: string) => refuses('options.audience[0]', whose);
    await assert.rejects(exchange(callFor(['shop']), 'invoicing'), beyond("the calling service's"));
    if (actor.kind === 'caller') continue;
    await assert.rejects(exchange(callOf(), 'payroll'), beyond("the API key's"));
  }
});

test('no list allows what another one does not', () => {
  fc.assert(
    fc.property(list, bound, list, (tenant, caller, audience) => {
      const by = (allowedAudiences: readonly string[], audiences: readonly string[] | undefined): boolean =>
        isAudienceAllowed({ allowedAudiences }, callFor(audiences).caller, audience);
      assert.equal(by(tenant, caller), by(tenant, undefined) && by([], caller));
    }),
  );
});

test('a change of the list is one of the key: it is stored, cleared, and reaches a caller in memory', async () => {
  const world = createWorld();
  const { id } = await makeKey(world, ['api']);
  const update = (changes: Partial<ApiKeyDocument>, cleared: readonly 'allowedAudiences'[] = []) =>
    world.keys.updateApiKey(callOf(), { tenant: 'default', id, etag: '', changes, cleared: new Set(cleared) });
  assert.deepEqual((await update({ allowedAudiences: ['reports'] })).allowedAudiences, ['reports']);
  assert.equal((await update({}, ['allowedAudiences'])).allowedAudiences, undefined);
  await assert.rejects(update({ allowedAudiences: ['line\nbreak'] }), refuses('allowed_audiences[0]', 'printable'));
});
