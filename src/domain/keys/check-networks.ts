import { isNetwork } from '../../platform/networks.ts';
import { limits } from '../limits.ts';
import type { Violations } from '../violations.ts';

/** Notes a violation for each that is no network, and for too many. */
export function checkNetworks(networks: readonly string[], field: string, violations: Violations): void {
  if (networks.length > limits.allowedNetworks) {
    violations.add(field, `must be at most ${limits.allowedNetworks}, were ${networks.length}`);
    return;
  }
  networks.forEach((network, index) => {
    if (isNetwork(network)) return;
    violations.add(`${field}[${index}]`, 'must be an address or network, for example 192.0.2.0/24 or 2001:db8::/32');
  });
}
