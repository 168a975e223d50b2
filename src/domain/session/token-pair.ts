import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Clock } from '../../platform/clock.ts';
import type { PerformedMethod } from '../identity/use-cases.ts';
import type { AccessTokens } from '../keys/access-token.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { refreshTokenOf } from './refresh-token.ts';
import type { IssuedTokens, SessionDocument } from './use-cases.ts';

export interface TokenPairPorts {
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly accessTokens: AccessTokens;
}

/** RFC 8176 where it has a value for the method. */
const AMR: Readonly<Record<PerformedMethod['method'], string>> = {
  password: 'pwd',
  totp: 'otp',
  recovery_code: 'recovery',
  federated: 'fed',
};

/** `amr` of what the user did: the methods, and `mfa` when they are of more than one factor. */
export function amrOf(methods: SessionDocument['methods']): readonly string[] {
  const amr = methods.map(({ method }) => AMR[method]);
  return factorsOf(methods).size > 1 ? [...amr, 'mfa'] : amr;
}

/** A recovery code stands for the second factor that it replaces. */
function factorsOf(methods: SessionDocument['methods']): ReadonlySet<string> {
  return new Set(methods.map(({ method }) => (method === 'recovery_code' ? 'totp' : method)));
}

/**
 * The token pair of one generation of a session. The refresh token is the same each time; the access token is signed afresh, and never
 * outlives the session. `scopes` are those of this access token.
 */
export async function tokenPairOf(
  ports: TokenPairPorts,
  session: SessionDocument,
  generation: number,
  scopes: readonly string[],
  settings: TenantSettings,
  signal: AbortSignal | undefined,
): Promise<IssuedTokens> {
  const { token, expiresAt } = await accessTokenOf(ports, session, scopes, settings, signal);
  return {
    kind: 'tokens',
    accessToken: token,
    accessExpiresAt: expiresAt,
    refreshToken: refreshTokenOf(ports.ring, session, generation),
    refreshExpiresAt: session.idleEndsAt,
    sessionId: session.id,
  };
}

/** A fresh access token of a session, without a word about its refresh token. */
export async function accessTokenOf(
  ports: Omit<TokenPairPorts, 'ring'>,
  session: SessionDocument,
  scopes: readonly string[],
  settings: TenantSettings,
  signal: AbortSignal | undefined,
): Promise<{ readonly token: string; readonly expiresAt: number }> {
  const { tenant, id, subject, epoch, callerName, tokens, methods } = session;
  const factors = factorsOf(methods);
  return await ports.accessTokens.sign(
    {
      tenant,
      subject,
      epoch,
      audience: tokens?.audience ?? [],
      scopes,
      clientId: callerName,
      sessionId: id,
      authTime: methods.length === 0 ? undefined : Math.max(...methods.map(({ at }) => at)),
      acr: factors.size === 0 ? undefined : factors.size > 1 ? 'aal2' : 'aal1',
      amr: amrOf(methods),
      custom: tokens?.claims ?? {},
      includeRoles: tokens?.includeRoles,
    },
    Math.min(settings.accessTokenMs, session.absoluteEndsAt - ports.clock.now()),
    signal,
  );
}
