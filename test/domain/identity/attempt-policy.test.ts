import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  codeAttempts,
  lockMsAfter,
  networkOf,
  passwordAttempts,
  slotsAfter,
} from '../../../src/domain/identity/attempt-policy.ts';

test('passwords: 1, 5, 15, 60 minutes from the third failure; codes: five minutes from the fifth', () => {
  const minutes = (policy: typeof passwordAttempts) =>
    [0, 1, 2, 3, 4, 5, 6, 7, 100].map((failed) => lockMsAfter(policy, failed) / 60_000);
  assert.deepEqual(minutes(passwordAttempts), [0, 0, 0, 1, 5, 15, 60, 60, 60]);
  assert.deepEqual(minutes(codeAttempts), [0, 0, 0, 0, 0, 5, 5, 5, 5]);
});

test('no more attempts are under way than may fail before the next lock, and one always may', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 10].map((failed) => slotsAfter(passwordAttempts, failed)),
    [3, 2, 1, 1, 1],
  );
});

test('a network is an IPv4 address or the first 64 bits of an IPv6 one, however written', () => {
  for (const [ip, network] of [
    [undefined, ''],
    ['', ''],
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:102:304', '1.2.3.4'],
    ['0:0:0:0:0:FFFF:c000:0201', '192.0.2.1'],
    ['::0:ffff:0:1', '0.0.0.1'],
    ['::ffff:0:102:304', '0:0:0:0::/64'],
    ['0:0:0:0:ffff::1', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0DB8:0000:0000:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ] as const) {
    assert.equal(networkOf(ip), network, ip);
  }
});
