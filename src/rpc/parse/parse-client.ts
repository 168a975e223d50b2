import { isIP } from 'node:net';
import type { ClientContext } from '../../../gen/sallyport/v1/subject_pb.ts';
import type { ClientDevice } from '../../domain/call.ts';
import { limits } from '../../domain/limits.ts';
import type { Violations } from '../../domain/violations.ts';
import { optionalText } from './parse-text.ts';

/** The end user's device, from the field `client`. Absent and empty members are undefined. */
export function parseClient(value: ClientContext | undefined, violations: Violations): ClientDevice {
  if (value === undefined) return NONE;
  const { ip, userAgent, deviceId } = value;
  if (ip !== '' && !isAddress(ip)) {
    violations.add('client.ip', 'must be an IPv4 or IPv6 address without a port, for example 192.0.2.7');
  }
  return {
    ip: ip === '' ? undefined : ip,
    userAgent: present(optionalText(userAgent, 'client.user_agent', limits.userAgentChars, violations)),
    deviceId: present(optionalText(deviceId, 'client.device_id', limits.deviceIdChars, violations)),
  };
}

const NONE: ClientDevice = {};

/** The longest spelling of an address, an IPv4 one in an IPv6 one. */
const MAX_IP_CHARS = 45;

/** Node also takes a zone (`fe80::1%eth0`), of any length and content: it means something on one host only, and is no part of an address. */
function isAddress(text: string): boolean {
  return text.length <= MAX_IP_CHARS && !text.includes('%') && isIP(text) !== 0;
}

function present(value: string): string | undefined {
  return value === '' ? undefined : value;
}
