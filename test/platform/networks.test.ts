import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inNetworks, isNetwork } from '../../src/platform/networks.ts';

test('addresses and networks of both families are read, and nothing else', () => {
  for (const text of ['192.0.2.7', '192.0.2.0/24', '0.0.0.0/0', '2001:db8::/32', '::1', '::/0', '10.0.0.1/32']) {
    assert.ok(isNetwork(text), text);
  }
  const wrong = [
    '',
    '192.0.2',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '192.0.2.0/',
    '2001:db8::/129',
    'localhost',
    '192.0.2.0/24 ',
  ];
  for (const text of [...wrong, 'fe80::1%eth0', '192.0.2.0/1e1', '192.0.2.0/024/1']) assert.ok(!isNetwork(text), text);
});

test('an address is inside by its family, also when an IPv4 address is written as IPv6', () => {
  const inside = inNetworks(['192.0.2.0/24', '2001:db8::/32', '203.0.113.9']);
  for (const address of ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.7', '2001:db8:1::1', '203.0.113.9']) {
    assert.equal(inside?.(address), true, address);
  }
  for (const address of ['192.0.3.1', '::ffff:192.0.3.1', '2001:db9::1', '203.0.113.10', '', 'x', undefined]) {
    assert.equal(inside?.(address), false, String(address));
  }
});

test('an IPv4 network written as IPv6 has the prefix of IPv6: a shorter one, which would hold all of IPv4, is none', () => {
  for (const text of ['::ffff:192.0.2.7', '::ffff:192.0.2.0/120', '::ffff:0:0/96', '::/0', '::fffe:0:0/24']) {
    assert.ok(isNetwork(text), text);
  }
  const wide = ['::ffff:1.2.3.4/24', '::FFFF:1.2.3.4/95', '0:0:0:0:0:ffff:102:304/32', '::ffff:0:0/0', '::1.2.3.4/24'];
  for (const text of wide) assert.ok(!isNetwork(text), text);
  assert.equal(inNetworks(['::ffff:1.2.3.4/24'])?.('203.0.113.9'), false);
  assert.equal(inNetworks(['::ffff:192.0.2.0/120'])?.('192.0.2.7'), true);
});

test('no networks mean everywhere; one that cannot be read means nowhere', () => {
  assert.equal(inNetworks([]), undefined);
  assert.equal(inNetworks(undefined), undefined);
  assert.equal(inNetworks(['nonsense'])?.('192.0.2.7'), false);
});
