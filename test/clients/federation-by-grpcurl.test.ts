import assert from 'node:assert/strict';
import { bothStores } from '../support/both-stores.ts';
import { startRealProvider } from '../support/real-provider.ts';
import { grpcurlCall } from './grpcurl.ts';
import type { JsonAnswer } from './six-calls-by-json.ts';
import { needs } from './tool.ts';

// A login by an identity provider from a terminal, with every call that manages providers.

const REDIRECT_URI = 'https://app.example/callback';

function textOf(answer: JsonAnswer, name: string): string {
  const found = new RegExp(`"${name}":"([^"]+)"`).exec(JSON.stringify(answer))?.[1];
  return found ?? assert.fail(`no ${name} in ${JSON.stringify(answer)}`);
}

const onStores = await bothStores();

onStores('providers are managed, and a user logs in by one, with grpcurl', async (place, t) => {
  if (!(await needs(t, 'go', ['version']))) return;
  await using real = await startRealProvider(REDIRECT_URI);
  const env = { SALLYPORT_FEDERATION_NETWORKS: '127.0.0.1', SALLYPORT_FEDERATION_CA_FILE: real.caFile };
  const call = grpcurlCall(await place.start(env));
  const made = await call('ProviderService/CreateProvider', {
    oidc: { issuer: real.issuer },
    client_id: real.clientId,
    client_secret: real.clientSecret,
    redirect_uris: [REDIRECT_URI],
    allow_sign_up: true,
  });
  const id = { provider_id: textOf(made, 'id') };
  const named = await call('ProviderService/UpdateProvider', { ...id, display_name: 'Staff' });
  assert.deepEqual(await call('ProviderService/GetProvider', id), named);
  assert.equal(textOf(await call('ProviderService/ListProviders', {}), 'displayName'), 'Staff');
  const begun = await call('AuthenticationService/BeginFederatedLogin', { ...id, redirect_uri: REDIRECT_URI });
  const callback = Object.fromEntries(await real.browse(textOf(begun, 'authorizationUrl')));
  const federated = { callback_parameters: callback, browser_binding: textOf(begun, 'browserBinding') };
  const done = await call('AuthenticationService/Authenticate', { federated });
  assert.match(textOf(done, 'authenticationToken'), /^at_/);
  const again = await call('AuthenticationService/Authenticate', { federated });
  assert.equal(textOf(again, 'federationFailure'), 'FEDERATION_FAILURE_LOGIN_UNKNOWN');
  const link = { user_id: textOf(done, 'userId'), issuer: real.issuer, subject: 'ada-1' };
  const stranger = await call('UserService/RemoveFederatedLink', link);
  assert.ok(!JSON.stringify(stranger).includes(real.issuer));
  assert.deepEqual(await call('ProviderService/DeleteProvider', id), {});
  assert.deepEqual(await call('ProviderService/ListProviders', {}), {});
});
