import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contractElements, readContract } from '../support/contract.ts';

// What `grpcurl describe` shows is the comments of the descriptor set that is committed, not those of the .proto files.

const elements = contractElements();

test('every service, method, message, field and enum value carries its comment in the descriptor set', () => {
  assert.ok(elements.length > 350, `only ${elements.length} elements`);
  const silent = elements.filter(({ comment }) => !/^ \S[\s\S]*[.:}`]\n$/.test(comment));
  assert.deepEqual(
    silent.map(({ name }) => name),
    [],
  );
});

test('every type is at the top of its file, so that none is missed here', () => {
  for (const type of readContract()) {
    if (type.kind !== 'message' || type.file.proto.package !== 'sallyport.v1') continue;
    assert.equal(type.nestedMessages.length + type.nestedEnums.length, 0, type.typeName);
  }
});

test('every field and choice of a request says whether it is required, or what its absence means', () => {
  const says = /\bRequired\b|\bempty\b|\babsent\b|\boptional\b|\bTrue:|\b0 means\b|\bAsk for\b|\bonly\b/i;
  const clientContext = /\.client$/; // its message says that it is optional everywhere
  const unclear = elements
    .filter(({ kind, name }) => (kind === 'field' || kind === 'oneof') && /^\w+Request\./.test(name))
    .filter(({ name, comment }) => !clientContext.test(name) && !says.test(comment));
  assert.deepEqual(
    unclear.map(({ name }) => name),
    [],
  );
});
