import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authorization } from '../../gen/envoy/service/auth/v3/external_auth_pb.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { rpcMethods } from '../../src/rpc/method.ts';
import { methodsWithLargerRequests } from '../../src/rpc/request-bytes.ts';
import { sallyportServices } from '../../src/rpc/sallyport-services.ts';
import { handMadeUseCases } from '../support/hand-made-use-cases.ts';

test('whose requests may be larger are methods that there are', () => {
  const own = rpcMethods(sallyportServices(handMadeUseCases({}), systemClock())).map(({ label }) => label);
  const foreign = Authorization.methods.map(({ name }) => `${Authorization.name}/${name}`);
  const labels = new Set([...own, ...foreign]);
  for (const label of methodsWithLargerRequests) assert.ok(labels.has(label), label);
});
