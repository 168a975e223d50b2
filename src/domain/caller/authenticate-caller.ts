import type { Caller } from '../call.ts';
import type { CredentialResolver, ResolvedPrincipal } from '../decision/use-cases.ts';
import { formatSubject } from '../subject.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';
import type { AuthenticateCaller } from './caller-ports.ts';

/** `sk_live_` or `sk_test_`, then the key's id. */
const ID_START = 8;
const ID_END = 24;

/** A calling service presents an API key of tenant `sallyport`: the same check as for any key, in that tenant. */
export function createAuthenticateCaller(resolver: Pick<CredentialResolver, 'apiKey'>): AuthenticateCaller {
  return (key, signal) => {
    const resolved = resolver.apiKey(SYSTEM_TENANT, key, signal);
    return resolved instanceof Promise ? resolved.then((found) => callerOf(key, found)) : callerOf(key, resolved);
  };
}

/** Why a key was refused (unknown, expired, revoked) is not told to who presents it. */
function callerOf(key: string, resolved: ResolvedPrincipal): Caller | undefined {
  if (resolved.kind === 'refused') return undefined;
  const { subject, scopes } = resolved;
  return { subject, name: formatSubject(subject), credentialId: key.slice(ID_START, ID_END), scopes };
}
