import type { KeyRing } from '../../crypto/key-ring.ts';
import { keyedDigest } from '../../crypto/keyed-digest.ts';
import type { Clock } from '../../platform/clock.ts';
import type { RandomSource } from '../../platform/random.ts';
import type { CallContext } from '../call.ts';
import type { FinishedLogin } from '../session/use-cases.ts';
import type { Store } from '../storage.ts';
import type { Updates } from '../update.ts';
import { isRepeat, type ProofDocument, REPEAT_MS } from './login-document.ts';
import { isToken, randomToken, readToken, tokenOf } from './one-time-token.ts';
import type { UserDocument } from './use-cases.ts';

// Authentication tokens: proof, for 60 s and one use, that a login finished.

export interface ProofPorts {
  readonly store: Store;
  readonly updates: Updates;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly ring: KeyRing;
}

/** Where a finished login came from: a challenge gives the same token and session however often its last step is repeated. */
export type LoginOrigin =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'challenge'; readonly challengeToken: string; readonly keyId: string };

/** Id of the one session that a login can become: 43 characters, base64url. */
export function sessionIdOf(ports: ProofPorts, tenant: string, origin: LoginOrigin): string {
  if (origin.kind === 'challenge') {
    return keyedDigest(ports.ring, 'proof', ['session', tenant, origin.challengeToken], origin.keyId);
  }
  const once = Buffer.from(ports.random.bytes(32)).toString('base64url');
  return keyedDigest(ports.ring, 'proof', ['session', tenant, once]);
}

/**
 * Makes the authentication token of a finished login, valid for `lifetimeMs`. From a challenge the token is derived (HMAC over
 * the challenge token, which only its holder knows): a repeat makes the same document, finds it there, and tells the same token.
 */
export async function mintProof(
  ports: ProofPorts,
  login: FinishedLogin,
  origin: LoginOrigin,
  lifetimeMs: number,
  signal?: AbortSignal,
): Promise<{
  readonly token: string;
  readonly expiresAt: number;
  /** Its effects are to be settled before the token is told. */
  readonly document: ProofDocument | undefined;
}> {
  const { token, id, digest } = mintToken(ports, login.tenant, origin);
  const proofs = ports.store.collection<ProofDocument>('challenges');
  const validUntil = ports.clock.now() + lifetimeMs;
  const inserted = await proofs.insert(
    {
      tenant: login.tenant,
      id,
      schema: 1,
      keys: [id],
      owner: `user:${login.subject.id}`,
      expiresAt: validUntil + REPEAT_MS,
      kind: 'proof',
      digest,
      subject: login.subject,
      epoch: login.epoch,
      methods: login.methods,
      sessionId: login.sessionId,
      validUntil,
      outbox: login.effects,
    },
    signal,
  );
  if (inserted.kind === 'inserted') return { token, expiresAt: validUntil, document: inserted.document };
  const first = await proofs.get(login.tenant, id, signal);
  return { token, expiresAt: first?.validUntil ?? validUntil, document: first };
}

/**
 * Uses an authentication token. Of any number of uses at once by one caller all get the same login, with the same session id; any
 * other second use, a token that is unknown or over, and one whose user changed meanwhile are PROOF_INVALID.
 * A kill right after the swap leaves it used: the caller's repeat within 10 s still gets its session.
 */
export async function spendProof(
  ports: Pick<ProofPorts, 'store' | 'updates' | 'clock'>,
  call: CallContext,
  tenant: string,
  token: string,
): Promise<FinishedLogin | 'PROOF_INVALID'> {
  const presented = readToken('at_', token);
  if (presented === undefined) return 'PROOF_INVALID';
  const now = ports.clock.now();
  const proofs = ports.store.collection<ProofDocument>('challenges');
  // The swap decides which caller it belongs to: from two callers at once, one loses.
  const spent = await ports.updates.update<ProofDocument, ProofDocument | undefined>(
    'challenges',
    proofs,
    tenant,
    presented.id,
    (current) => {
      if (current?.kind !== 'proof' || !isToken(current.digest, presented)) return { kind: 'keep', result: undefined };
      if (current.used !== undefined) {
        return { kind: 'keep', result: isRepeat(current.used, call.caller.name, now) ? current : undefined };
      }
      if (now >= current.validUntil) return { kind: 'keep', result: undefined };
      const draft = { ...current, used: { at: now, callerName: call.caller.name } };
      return { kind: 'write', draft, result: current };
    },
    call.signal,
  );
  const proof = spent.kind === 'done' ? spent.result : undefined;
  if (proof === undefined || !(await stillHolds(ports.store, proof, call.signal))) return 'PROOF_INVALID';
  return {
    tenant,
    subject: proof.subject,
    epoch: proof.epoch,
    methods: proof.methods,
    sessionId: proof.sessionId,
  };
}

// Read after the swap: a reset or disable that committed before this is seen. One that commits later bumps the epoch that the
// session carries, so the session is refused at its first use.
async function stillHolds(store: Store, proof: ProofDocument, signal: AbortSignal | undefined): Promise<boolean> {
  const user = await store.collection<UserDocument>('users').get(proof.tenant, proof.subject.id, signal);
  return user?.status === 'active' && user.epoch === proof.epoch;
}

function mintToken(ports: ProofPorts, tenant: string, origin: LoginOrigin): ReturnType<typeof randomToken> {
  if (origin.kind === 'fresh') return randomToken('at_', ports.random);
  const derived = (part: string): Buffer =>
    Buffer.from(keyedDigest(ports.ring, 'proof', [part, tenant, origin.challengeToken], origin.keyId), 'base64url');
  return tokenOf('at_', Buffer.concat([derived('token-id').subarray(0, 16), derived('token-secret')]));
}
