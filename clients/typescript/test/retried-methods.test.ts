import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import * as contract from '../gen/v1.js';
import { retriedMethods } from '../src/retried-methods.ts';

const services = Object.values(contract).filter(
  (value): value is DescService & typeof value => 'kind' in value && value.kind === 'service',
);
const methods = new Map<string, DescMethod>(
  services.flatMap((service) => service.methods.map((method) => [`${service.name}.${method.name}`, method] as const)),
);
const retried = Object.entries(retriedMethods).flatMap(([service, names]) => names.map((name) => `${service}.${name}`));

for (const name of retried) {
  test(`${name}, which is repeated, is a call of the contract with one answer`, () => {
    assert.equal(methods.get(name)?.methodKind, 'unary');
  });
}

test('every call that only reads is repeated', () => {
  const reads = [...methods.values()].filter(
    ({ name, methodKind }) => methodKind === 'unary' && /^(Get|List|Authorize|BatchAuthorize)/.test(name),
  );
  assert.ok(reads.length > 10);
  const missing = reads.map(({ parent, name }) => `${parent.name}.${name}`).filter((name) => !retried.includes(name));
  assert.deepEqual(missing, []);
});

test('no call that counts as an attempt, or uses up what it is given, is repeated', () => {
  const attempts = ['Authenticate', 'VerifyTotp', 'ConfirmTotp', 'ChangePassword', 'ResetPassword', 'CreateApiKey'];
  assert.deepEqual(
    retried.filter((name) => attempts.includes(name.split('.')[1] ?? '')),
    [],
  );
});
