import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, type DescField, type DescMessage, type Message, ScalarType, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { VerifyApiKeyResponseSchema } from '../../gen/sallyport/v1/api_key_pb.ts';
import { AuthorizeResponseSchema, BatchAuthorizeResponseSchema } from '../../gen/sallyport/v1/authorization_pb.ts';
import { IssueTokensResponseSchema } from '../../gen/sallyport/v1/token_pb.ts';
import { ListUsersResponseSchema } from '../../gen/sallyport/v1/user_pb.ts';
import { encodeMessage } from '../../src/rpc/grpc/message-encoder.ts';

const schemas: readonly DescMessage[] = [
  AuthorizeResponseSchema,
  VerifyApiKeyResponseSchema,
  BatchAuthorizeResponseSchema,
  ListUsersResponseSchema,
  // It has a oneof, so the library writes it.
  IssueTokensResponseSchema,
];

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: 'binary-ascii', minLength: 30, maxLength: 400 }),
  fc.constantFrom('', '\u0080\u008f', 'é'.repeat(64), '\ud800', 'x'.repeat(127), 'x'.repeat(128), 'x'.repeat(20_000)),
);
const numbers = fc.oneof(fc.nat({ max: 300 }), fc.integer(), fc.constantFrom(0, 127, 128, 2 ** 31 - 1));

function arbitrary(desc: DescMessage): fc.Arbitrary<Message> {
  const fields = desc.fields.filter((field) => field.oneof === undefined);
  const values = Object.fromEntries(fields.map((field) => [field.localName, arbitraryField(field)]));
  return fc.record(values, { requiredKeys: [] }).map((init) => create(desc, init));
}

function arbitraryField(field: DescField): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'message':
      return fc.option(arbitrary(field.message), { nil: undefined });
    case 'enum':
      return fc.constantFrom(...field.enum.values.map((value) => value.number), 77, 1000);
    case 'list':
      if (field.listKind === 'message') return fc.array(arbitrary(field.message), { maxLength: 3 });
      return field.listKind === 'scalar' && field.scalar === ScalarType.STRING
        ? fc.array(texts, { maxLength: 3 })
        : fc.constant([]);
    case 'map':
      return fc.dictionary(texts, texts, { maxKeys: 3 });
    case 'scalar':
      if (field.scalar === ScalarType.STRING) return texts;
      if (field.scalar === ScalarType.BOOL) return fc.boolean();
      if (field.scalar === ScalarType.INT32) return numbers;
      return field.scalar === ScalarType.INT64
        ? fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
        : fc.constant(undefined);
  }
}

for (const desc of schemas) {
  test(`a ${desc.name} has the bytes that the library gives it`, () => {
    fc.assert(
      fc.property(arbitrary(desc), (message) => {
        assert.deepEqual(encodeMessage(desc, message), Buffer.from(toBinary(desc, message)));
      }),
      { numRuns: 300 },
    );
  });
}

test('an answer keeps its bytes while later ones are encoded', () => {
  const encode = (message: Message): Buffer => encodeMessage(AuthorizeResponseSchema, message);
  const first = encode(create(AuthorizeResponseSchema, { revision: 'first' }));
  const before = Buffer.from(first);
  encode(create(AuthorizeResponseSchema, { revision: 'other' }));
  assert.deepEqual(first, before);
});

test('fields that this release does not know are passed on', () => {
  const message = create(AuthorizeResponseSchema, { revision: 'r' });
  message.$unknown = [{ no: 99, wireType: 0, data: new Uint8Array([7]) }];
  assert.deepEqual(
    encodeMessage(AuthorizeResponseSchema, message),
    Buffer.from(toBinary(AuthorizeResponseSchema, message)),
  );
});

test('a message of another type, and one with a value of another type, are refused as the library refuses them', () => {
  const encode = (message: Message): Buffer => encodeMessage(AuthorizeResponseSchema, message);
  assert.throws(() => encode(create(VerifyApiKeyResponseSchema)), /cannot use/);
  const message = create(AuthorizeResponseSchema);
  Object.assign(message, { decision: { $typeName: 'sallyport.v1.Decision', effect: 'ALLOW', grantIds: [] } });
  assert.throws(() => encode(message), /cannot encode field/);
});
