import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary } from '@bufbuild/protobuf';
import { VerifyTokenResponseSchema } from '../../gen/sallyport/v1/token_pb.ts';
import { encodeMessage, reusable } from '../../src/rpc/encode-message.ts';

const message = () => create(VerifyTokenResponseSchema, { active: true, claims: { issuer: 'http://issuer.test' } });

test('a message that is sent again is encoded once, any other one each time', () => {
  const again = reusable(message());
  const bytes = encodeMessage(VerifyTokenResponseSchema, again);
  assert.equal(encodeMessage(VerifyTokenResponseSchema, again), bytes);
  assert.deepEqual(fromBinary(VerifyTokenResponseSchema, bytes), again);
  const once = message();
  assert.notEqual(encodeMessage(VerifyTokenResponseSchema, once), encodeMessage(VerifyTokenResponseSchema, once));
});
