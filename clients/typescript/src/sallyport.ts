import type { DescMethod, DescService, MessageInitShape } from '@bufbuild/protobuf';
import { ApiKeyService } from '../gen/sallyport/v1/api_key_pb.js';
import { AuthenticationService } from '../gen/sallyport/v1/authentication_pb.js';
import { AuthorizationService } from '../gen/sallyport/v1/authorization_pb.js';
import type { PrincipalSchema } from '../gen/sallyport/v1/subject_pb.js';
import { TokenService } from '../gen/sallyport/v1/token_pb.js';
import { type ClientOptions, type ResolvedOptions, resolveOptions } from './client-options.ts';
import { followRevocations } from './follow-revocations.ts';
import { createPermissionChecks, type PermissionChecks, type PermissionChecksOptions } from './permission-checks.ts';
import { readEnvironment, variableOf } from './read-environment.ts';
import { type CallOptions, type ServiceClient, serviceClient } from './service-client.ts';
import type { TokenVerdict } from './token-verdict.ts';
import { openChannel } from './transport.ts';
import { createTokenVerifier } from './verify-access-token.ts';

type Authentication = ServiceClient<typeof AuthenticationService>;
type Tokens = ServiceClient<typeof TokenService>;

/** One channel to Sallyport for the life of the process. Every call rejects with CallError when there is no answer. */
export interface Sallyport {
  /** Tenant of requests that name none. */
  readonly tenant: string;
  /** `aud` that access tokens must have; undefined: none is accepted. */
  readonly audience: string | undefined;
  /** Origins of the application's pages; undefined: that of each request. */
  readonly origins: readonly string[] | undefined;
  /** Checks a password. What happened to the user is in `outcome`: authenticated, challenge or rejection. Within 10 s. */
  readonly authenticate: Authentication['authenticate'];
  /** Checks a one-time or recovery code; the same three outcomes. Within 10 s. */
  readonly verifyTotp: Authentication['verifyTotp'];
  /** Begins a session of tokens from a finished login. Within 3 s. */
  readonly issueTokens: Tokens['issueTokens'];
  /** Spends a refresh token for the next pair. Repeating it within 10 s gives the same pair. Within 3 s. */
  readonly rotateRefresh: Tokens['rotateRefresh'];
  /** Judges an API key and, where one is named, a permission: only `decision.effect` ALLOW is a yes. Within 3 s. */
  readonly verifyApiKey: ServiceClient<typeof ApiKeyService>['verifyApiKey'];
  /** Decides one question: only `decision.effect` ALLOW is a yes. Within 3 s. */
  readonly authorize: ServiceClient<typeof AuthorizationService>['authorize'];
  /** The questions about one principal; those of one tick go in one call of up to 1,000. */
  checks(principal: MessageInitShape<typeof PrincipalSchema>, options?: PermissionChecksOptions): PermissionChecks;
  /**
   * Whether an access token is good now, for this audience: verified here where `issuer` is set and revocations are being followed,
   * else by VerifyToken. The audience is the client's unless given.
   * @throws CallError when Sallyport had to be asked and did not answer; Error when there is no audience
   */
  verifyAccessToken(token: string, options?: CallOptions & { readonly audience?: string }): Promise<TokenVerdict>;
  /** Resolves when access tokens are verified here. Rejects with the signal's reason; never resolves without `issuer`. */
  whenVerifyingHere(signal: AbortSignal): Promise<void>;
  /** Typed calls of any service of `@sallyport/client/v1`. Cheap: keep it or make it anew. */
  client<S extends DescService>(service: S): ServiceClient<S>;
  /** Ends streams and closes the connections; calls under way fail. */
  close(): void;
}

/** Methods that hash a password, wait for a factor or ask an identity provider. */
const SLOW = new Set([
  'Authenticate',
  'BeginFederatedLogin',
  'VerifyTotp',
  'ChangePassword',
  'ResetPassword',
  'SetPassword',
  'CreateUser',
  'ConfirmTotp',
]);

function connect(options: ClientOptions): Sallyport {
  return create(resolveOptions(options));
}

function fromEnv(environment: Readonly<Record<string, string | undefined>> = process.env): Sallyport {
  return create(resolveOptions(readEnvironment(environment), variableOf));
}

export const Sallyport = {
  /**
   * A client by options; nothing is sent before the first call.
   * @throws Error that names the option, what is wrong with it and what is accepted
   */
  connect,
  /**
   * A client by the SALLYPORT_CLIENT_ variables of the README; at least ADDRESS and API_KEY. Nothing is sent before the first call.
   * @throws Error that names the variable, what is wrong with it and what is accepted; never the key
   */
  fromEnv,
} as const;

function create(options: ResolvedOptions): Sallyport {
  const channel = openChannel(options);
  const { apiKey, tenant, audience, issuer, origins } = options;
  const timeoutOf = ({ name }: DescMethod): number => (SLOW.has(name) ? options.loginTimeoutMs : options.timeoutMs);
  const client = <S extends DescService>(service: S) => serviceClient({ channel, apiKey, tenant, timeoutOf }, service);
  const [authentication, tokens] = [client(AuthenticationService), client(TokenService)];
  const authorization = client(AuthorizationService);
  const revocations = followRevocations({
    tokens,
    onKeysChanged: () => verifier.keysChanged(),
    monotonic: () => performance.now(),
    random: Math.random,
  });
  const verifier = createTokenVerifier({ tokens, revocations, tenant, issuer });
  return {
    tenant,
    audience,
    origins,
    authenticate: authentication.authenticate,
    verifyTotp: authentication.verifyTotp,
    issueTokens: tokens.issueTokens,
    rotateRefresh: tokens.rotateRefresh,
    verifyApiKey: client(ApiKeyService).verifyApiKey,
    authorize: authorization.authorize,
    checks: (principal, more) => createPermissionChecks(authorization, principal, more),
    verifyAccessToken: (token, { audience: own, ...more } = {}) => {
      const wanted = own ?? audience;
      if (wanted === undefined) return Promise.reject(new Error('no audience: access tokens are not accepted'));
      return verifier.verify(token, wanted, more);
    },
    whenVerifyingHere: (signal) => revocations.whenFollowing(signal),
    client,
    close: () => {
      revocations.stop();
      channel.close();
    },
  };
}
