import { federatedLoginFailed } from '../audit/federation-events.ts';
import type { CallContext } from '../call.ts';
import { continueLogin } from '../identity/login.ts';
import type { FederationFailure, LoginOutcome, Rejection } from '../identity/use-cases.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import { accountOf } from './account-of.ts';
import type { FederationPorts } from './federation-ports.ts';
import { takeLogin } from './login-state.ts';
import { clientOf, type ProviderDocument, providersOf } from './provider.ts';
import type { FinishLoginInput } from './use-cases.ts';

/**
 * Ends a login that came back from its identity provider, as a password login ends: with a session or token, or the challenge that is
 * due. The login is taken before the code is exchanged, so that of many callbacks at once one reaches the provider; after a fault the user
 * begins again. Throws as FederationUseCases.finishLogin.
 */
export async function finishLogin(
  ports: FederationPorts,
  call: CallContext,
  input: FinishLoginInput,
): Promise<LoginOutcome> {
  const { tenant, parameters, browserBinding, client, issue } = input;
  const settings = await requireLoginTenant(ports.tenants, tenant, call.signal);
  const failed = refusal(ports, call, input);
  const presented = { state: parameters.get('state') ?? '', browserBinding };
  const login = await takeLogin(ports, call, tenant, presented);
  if (login.kind === 'none') return failed('LOGIN_UNKNOWN', login.because, login.providerId);
  const { providerId, secrets } = login;
  const provider = await usableProvider(ports, call, tenant, providerId, secrets.redirectUri);
  if (typeof provider === 'string') return failed('PROVIDER_DISABLED', provider, providerId);
  const asked = await clientOf(ports.sealer, provider);
  const person = await ports.identityProviders.exchange(asked, secrets, parameters);
  if (person.kind === 'failed') return failed(person.failure, person.because, providerId);
  const account = await accountOf(ports, call, { provider, person, settings, client });
  if (account.kind === 'none') return failed('NO_ACCOUNT', account.because, providerId, account.userId);
  const methods = [{ method: 'federated', at: ports.clock.now(), providerId }] as const;
  return await continueLogin(
    ports,
    call,
    { user: account.user, methods, origin: { kind: 'fresh' } },
    { settings, client, issue },
  );
}

/** The provider while logins by it may end there, or why not. */
async function usableProvider(
  ports: FederationPorts,
  call: CallContext,
  tenant: string,
  providerId: string,
  redirectUri: string,
): Promise<ProviderDocument | string> {
  const provider = await providersOf(ports.store).get(tenant, providerId, call.signal);
  if (provider === undefined) return 'removed';
  if (provider.disabled) return 'disabled';
  return provider.redirectUris.includes(redirectUri) ? provider : 'redirect URI taken away';
}

type Refuse = (failure: FederationFailure, because: string, providerId?: string, userId?: string) => Rejection;

/** The rejection, noted as an event. */
function refusal(ports: FederationPorts, call: CallContext, { tenant, client }: FinishLoginInput): Refuse {
  return (failure, because, providerId, userId) => {
    const login = { tenant, providerId, userId, client };
    ports.audit.note(federatedLoginFailed(call, login, failure, because, ports.clock.now()));
    return { kind: 'rejection', reason: 'FEDERATION_FAILED', failure };
  };
}
