import { BlockList, isIP, isIPv6 } from 'node:net';

// Networks of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address. An IPv4 address written as IPv6
// (`::ffff:192.0.2.7`, what a dual-stack socket tells) is that IPv4 address.

interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

const FORM = /^([0-9a-fA-F.:]{2,45})(?:\/(\d{1,3}))?$/;

/** Addresses that are IPv4 ones written as IPv6 (RFC 4291 section 2.5.5.2), in whatever spelling. */
const MAPPED_BITS = 96;
const MAPPED = new BlockList();
MAPPED.addSubnet('::ffff:0.0.0.0', MAPPED_BITS, 'ipv6');

function parseNetwork(text: string): Network | undefined {
  const [, address = '', length] = FORM.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  // `::ffff:192.0.2.0/24` would not be 192.0.2.0/24 but all of IPv4: only from bit 96 on does its prefix tell IPv4 networks apart.
  if (version === 6 && prefix < MAPPED_BITS && (address.includes('.') || MAPPED.check(address, 'ipv6')))
    return undefined;
  return prefix <= bits ? { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' } : undefined;
}

/** Whether an address (undefined: not known) is inside one of the networks. */
export type InNetworks = (address: string | undefined) => boolean;

/** Whether the text is an address or a network. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

/** No networks: everywhere is inside. A stored network that cannot be read has nothing inside. */
export function inNetworks(networks: readonly string[] | undefined): InNetworks | undefined {
  if (networks === undefined || networks.length === 0) return undefined;
  const list = new BlockList();
  for (const text of networks) {
    const network = parseNetwork(text);
    if (network !== undefined) list.addSubnet(network.address, network.prefix, network.family);
  }
  return (address) => {
    if (address === undefined || isIP(address) === 0) return false;
    return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  };
}
