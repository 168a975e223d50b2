import { BlockList, isIP } from 'node:net';

// Which addresses are of the public internet, by IANA's registries of special-purpose addresses (RFC 6890 and its updates). What is none of
// them is inside somebody's network: this machine, the company's, the cloud's metadata service.

/** IPv4: everything is public but these. */
const SPECIAL_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** IPv6: nothing is public but global unicast (RFC 4291 section 2.5.4), and of that not what stands for other addresses or for nothing. */
const GLOBAL_V6 = listOf([['2000::', 3]], 'ipv6');
const SPECIAL_V6 = listOf(
  [
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
  ],
  'ipv6',
);
const SPECIAL = listOf(SPECIAL_V4, 'ipv4');

/** False for what is no address at all. An IPv4 address written as IPv6 is not public: no resolver has a reason to say it so. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !SPECIAL.check(address, 'ipv4');
    case 6:
      return GLOBAL_V6.check(address, 'ipv6') && !SPECIAL_V6.check(address, 'ipv6');
    default:
      return false;
  }
}

function listOf(networks: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of networks) list.addSubnet(address, prefix, family);
  return list;
}
