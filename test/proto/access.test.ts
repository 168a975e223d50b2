import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getOption, hasOption } from '@bufbuild/protobuf';
import { access } from '../../gen/sallyport/v1/method_access_pb.ts';
import { readContract } from '../support/contract.ts';

const methods = [...readContract()]
  .filter((type) => type.kind === 'service')
  .filter((service) => service.typeName.startsWith('sallyport.'))
  .flatMap((service) => service.methods.map((method) => ({ name: `${service.name}/${method.name}`, method })));

test('every method says what its caller needs: one permission, or nothing at all', () => {
  assert.ok(methods.length >= 21, `only ${methods.length} methods`);
  for (const { name, method } of methods) {
    assert.ok(hasOption(method, access), `${name} has no (access) option`);
    const { permission, public: isPublic } = getOption(method, access);
    assert.equal(permission === '', isPublic, `${name} is public, or has a permission, not both or neither`);
    if (!isPublic) assert.match(permission, /^[a-z]+(_[a-z]+)*:[a-z]+(_[a-z]+)*$/, name);
  }
});

test('only the public keys can be read without a credential', () => {
  const open = methods.filter(({ method }) => getOption(method, access).public).map(({ name }) => name);
  assert.deepEqual(open, ['TokenService/GetJwks']);
});
