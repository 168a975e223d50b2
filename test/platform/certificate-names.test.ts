import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateNames } from '../../src/platform/certificate-names.ts';

test('DNS and URI names are read, others left out', () => {
  const list = 'DNS:Orders.Internal, URI:spiffe://example.org/Orders, IP Address:127.0.0.1, email:a@b.example';
  assert.deepEqual(certificateNames(list), ['DNS:orders.internal', 'URI:spiffe://example.org/Orders']);
  for (const none of [undefined, '', 'IP Address:127.0.0.1']) assert.deepEqual(certificateNames(none), []);
});

test('a name that looks like two is nobody', () => {
  assert.deepEqual(certificateNames('DNS:"a.example, DNS:victim.example", DNS:b.example'), ['DNS:b.example']);
  assert.deepEqual(certificateNames('URI:"http://a/\\", DNS:victim.example"'), []);
  for (const odd of ['DNS:a.example,DNS:b.example', 'DNS:a.example, nonsense', ', DNS:a.example']) {
    assert.deepEqual(certificateNames(odd), [], odd);
  }
});
