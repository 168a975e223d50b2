import { keyedDigest, sameDigest, sha256 } from '../../crypto/keyed-digest.ts';
import type { CallContext } from '../call.ts';
import { isToken, randomToken, readToken } from '../identity/one-time-token.ts';
import type { Collection, Document, Store } from '../storage.ts';
import type { FederationPorts } from './federation-ports.ts';
import type { LoginSecrets } from './identity-providers.ts';

// A login that waits for its identity provider: collection `challenges`, ten minutes. At rest there are digests of the state and of the
// browser's binding. The nonce and the PKCE verifier are nowhere: both are HMACs of the state under a derived key, so whoever reads the store
// can finish no login, and neither can whoever sees the state in a browser's history.

const LIFETIME_MS = 600_000;
const BINDING_BYTES = 32;
const BINDING = /^fb_[A-Za-z0-9_-]{43}$/;

export interface LoginStateDocument extends Document {
  readonly kind: 'federation';
  /** SHA-256 of the state. */
  readonly digest: string;
  /** SHA-256 of the browser binding. */
  readonly bindingDigest: string;
  readonly providerId: string;
  readonly redirectUri: string;
  /** Id of the master key that nonce and verifier are made with. */
  readonly keyId: string;
}

/** A login that is about to begin; nothing is stored yet. */
export interface NewLogin {
  readonly secrets: LoginSecrets;
  readonly browserBinding: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Stores it. An insert: a kill leaves it or not, and one that nobody comes back to expires. */
  store(call: CallContext): Promise<void>;
}

export function newLogin(ports: FederationPorts, tenant: string, providerId: string, redirectUri: string): NewLogin {
  const { token, id, digest } = randomToken('fs_', ports.random);
  const browserBinding = `fb_${Buffer.from(ports.random.bytes(BINDING_BYTES)).toString('base64url')}`;
  const expiresAt = ports.clock.now() + LIFETIME_MS;
  const keyId = ports.ring.currentId;
  return {
    secrets: secretsOf(ports, tenant, token, redirectUri, keyId),
    browserBinding,
    expiresAt,
    store: async (call) => {
      await statesOf(ports.store).insert(
        {
          tenant,
          id,
          schema: 1,
          keys: [id],
          expiresAt,
          kind: 'federation',
          digest,
          bindingDigest: sha256(browserBinding),
          providerId,
          redirectUri,
          keyId,
        },
        call.signal,
      );
    },
  };
}

/** A login that was begun here, taken: nobody else can. */
export interface TakenLogin {
  readonly kind: 'taken';
  readonly secrets: LoginSecrets;
  readonly providerId: string;
}

/** Nothing was taken. `because`: for the audit trail. */
export interface NoLogin {
  readonly kind: 'none';
  readonly because: 'no such state' | 'another browser' | 'used at the same time';
  readonly providerId: string | undefined;
}

/**
 * Takes the login of a state, exactly once: of any number at once, over any number of replicas, one removes the document. Another browser
 * takes nothing and ends nothing, so that a state that leaked cannot be used to disturb its owner. Whoever is killed after the removal has
 * used it up: the user begins again.
 */
export async function takeLogin(
  ports: FederationPorts,
  call: CallContext,
  tenant: string,
  presented: { readonly state: string; readonly browserBinding: string },
): Promise<TakenLogin | NoLogin> {
  const states = statesOf(ports.store);
  const token = readToken('fs_', presented.state);
  const found = token === undefined ? undefined : await states.get(tenant, token.id, call.signal);
  if (token === undefined || found?.kind !== 'federation' || !isToken(found.digest, token)) {
    return { kind: 'none', because: 'no such state', providerId: undefined };
  }
  const { providerId, redirectUri, keyId } = found;
  // Both are digests of 256 random bits, compared in constant time.
  if (!BINDING.test(presented.browserBinding) || !sameDigest(found.bindingDigest, sha256(presented.browserBinding))) {
    return { kind: 'none', because: 'another browser', providerId };
  }
  if (!(await states.remove(tenant, found.id, found.version, call.signal))) {
    return { kind: 'none', because: 'used at the same time', providerId };
  }
  return { kind: 'taken', providerId, secrets: secretsOf(ports, tenant, presented.state, redirectUri, keyId) };
}

function secretsOf(
  { ring }: Pick<FederationPorts, 'ring'>,
  tenant: string,
  state: string,
  redirectUri: string,
  keyId: string,
): LoginSecrets {
  const derived = (part: string): string => keyedDigest(ring, 'federation', [part, tenant, state], keyId);
  return { state, redirectUri, nonce: derived('nonce'), codeVerifier: derived('code-verifier') };
}

function statesOf(store: Store): Collection<LoginStateDocument> {
  return store.collection<LoginStateDocument>('challenges');
}
