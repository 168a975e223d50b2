import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCertificateCallers } from '../../../src/domain/caller/certificate-callers.ts';

const callerOf = createCertificateCallers([
  { name: 'DNS:a.internal', service: 'orders' },
  { name: 'DNS:b.internal', service: 'orders', audiences: ['api', 'reports'] },
  { name: 'DNS:c.internal', service: 'orders', audiences: ['reports', 'billing'] },
  { name: 'DNS:d.internal', service: 'mail' },
]);
const audiencesOf = (...names: readonly string[]) => callerOf(names.map((name) => `DNS:${name}.internal`))?.audiences;

test('a certificate with several names of a service is bounded by all of them, in whatever order it has them', () => {
  assert.equal(audiencesOf('a'), undefined);
  assert.deepEqual(audiencesOf('a', 'b'), ['api', 'reports']);
  assert.deepEqual(audiencesOf('b', 'a'), ['api', 'reports']);
  assert.deepEqual(audiencesOf('c', 'a', 'b'), ['reports']);
});

test('a certificate with names of two services, or with none, is nobody', () => {
  assert.equal(callerOf(['DNS:a.internal', 'DNS:d.internal']), undefined);
  assert.equal(callerOf(['DNS:other.internal']), undefined);
  assert.equal(callerOf([]), undefined);
});
