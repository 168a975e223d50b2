import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presentedCredential } from '../../../src/domain/gateway/presented-credential.ts';
import { MAX_HEADER_CHARS, RequestHeaders } from '../../../src/domain/gateway/request-headers.ts';

const COOKIE = '__Host-session';
const of = (...headers: readonly (readonly [string, string])[]) =>
  presentedCredential(new RequestHeaders(headers), COOKIE);

test('a bearer token, an API key and a session cookie are told apart', () => {
  assert.deepEqual(of(['authorization', 'Bearer a.b-c_d~e+/f==']), { kind: 'access_token', token: 'a.b-c_d~e+/f==' });
  assert.deepEqual(of(['Authorization', 'bEARER  a.b']), { kind: 'access_token', token: 'a.b' });
  assert.deepEqual(of(['authorization', 'Bearer sk_live_1']), { kind: 'api_key', key: 'sk_live_1' });
  assert.deepEqual(of(['x-api-key', 'sk_live_1']), { kind: 'api_key', key: 'sk_live_1' });
  const cookie = 'a=b; __Host-session=ss_1; __Host-session2=x; x__Host-session=y';
  assert.deepEqual(of(['cookie', cookie]), { kind: 'session', token: 'ss_1' });
  assert.deepEqual(of(['cookie', 'a=b'], ['cookie', '__Host-session=ss_1']), { kind: 'session', token: 'ss_1' });
  assert.deepEqual(of(['cookie', 'a=b']), { kind: 'none' });
  assert.deepEqual(of(), { kind: 'none' });
});

test('the first kind that is there counts, and a bad one is not made up for by the next', () => {
  const [key, cookie] = [['x-api-key', 'sk_live_1'] as const, ['cookie', '__Host-session=ss_1'] as const];
  assert.equal(of(['authorization', 'Bearer a.b'], key, cookie).kind, 'access_token');
  assert.equal(of(key, cookie).kind, 'api_key');
  for (const authorization of [
    '',
    'Basic YTpi',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,Bearer b',
    'Bearer a\u0000',
  ]) {
    assert.deepEqual(of(['authorization', authorization], key, cookie), { kind: 'unusable' }, authorization);
  }
  for (const bad of ['', 'sk_live_1,sk_live_2', 'sk live', 'k'.repeat(9000)]) {
    assert.deepEqual(of(['x-api-key', bad], cookie), { kind: 'unusable' }, bad.slice(0, 20));
  }
});

test('what came twice is one of two and so neither, whatever the case of its name', () => {
  assert.equal(of(['authorization', 'Bearer a'], ['Authorization', 'Bearer b']).kind, 'unusable');
  assert.equal(of(['x-api-key', 'sk_live_1'], ['X-API-Key', 'sk_live_2']).kind, 'unusable');
  assert.equal(of(['cookie', '__Host-session=ss_1; __Host-session=ss_2']).kind, 'unusable');
  assert.equal(of(['cookie', '__Host-session=ss_1'], ['cookie', '__Host-session=ss_2']).kind, 'unusable');
  assert.equal(of(['cookie', '__Host-session=']).kind, 'unusable');
});

test('a cookie whose name begins with a space of another kind has another name', () => {
  for (const space of ['\u00a0', '\u0085', '\u2000', '\u3000', '\ufeff', '\v']) {
    assert.deepEqual(of(['cookie', `a=b;${space}__Host-session=ss_1`]), { kind: 'none' }, JSON.stringify(space));
    assert.deepEqual(of(['cookie', `a=b; __Host-session${space}=ss_1`]), { kind: 'none' }, JSON.stringify(space));
  }
  assert.deepEqual(of(['cookie', 'a=b;\t __Host-session=ss_1']), { kind: 'session', token: 'ss_1' });
});

test('headers beyond 64 KiB are looked at no further', () => {
  assert.equal(new RequestHeaders([['a', 'b'.repeat(MAX_HEADER_CHARS - 1)]]).tooLarge, false);
  const many = new RequestHeaders(Array.from({ length: 10_000 }, (_, at) => [`x-${at}`, 'value'] as const));
  assert.equal(many.tooLarge, true);
});
