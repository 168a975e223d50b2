import { sha256 } from '../../crypto/keyed-digest.ts';
import { DomainError } from '../errors.ts';
import { revokeEffect } from '../session/revocation.ts';
import type { Collection, Draft, Effect, Store } from '../storage.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import type { Change, UpdateResult, Updates } from '../update.ts';
import { identifierKey } from './identifier.ts';
import type { FederatedLink, UserDocument } from './use-cases.ts';

// What the use cases about a user share.

export function usersOf(store: Store): Collection<UserDocument> {
  return store.collection<UserDocument>('users');
}

export function userNotFound(): DomainError {
  return new DomainError('USER_NOT_FOUND', 'there is no such user in this tenant');
}

/** The user is not the one with the caller's etag any more. */
export function userChanged(): DomainError {
  return new DomainError('PRECONDITION_FAILED', 'the user is not the one with this etag any more; read it again');
}

/** The user of that id. Throws USER_NOT_FOUND; one that is being deleted is gone already. */
export async function requireUser(
  store: Store,
  tenant: string,
  userId: string,
  signal?: AbortSignal,
): Promise<UserDocument> {
  const user = await usersOf(store).get(tenant, userId, signal);
  if (user === undefined || user.status === 'deleting') throw userNotFound();
  return user;
}

/**
 * Changes one user document: `change` is pure, may run several times, and sees it as it is then (undefined: nobody, or gone).
 * As Updates.update, so of two at once one wins and the other is shown what that one wrote.
 */
export async function swapUser<R>(
  parts: { readonly store: Store; readonly updates: Updates },
  tenant: string,
  userId: string,
  change: (current: UserDocument | undefined) => Change<UserDocument, R>,
  signal?: AbortSignal,
): Promise<UpdateResult<UserDocument, R>> {
  return await parts.updates.update('users', usersOf(parts.store), tenant, userId, change, signal);
}

/** The part of a user document that changes when everything which the user carries must end: the epoch, and the effect that tells. */
export interface NewEpoch {
  readonly epoch: number;
  readonly updatedAt: number;
  readonly outbox: readonly Effect[];
}

/**
 * Ends all challenges, proofs, sessions and access tokens of a user, when written with the change that is the reason for it. A kill
 * after the swap leaves the effect recorded: sessions are refused by their epoch at once, and the sweeper tells the caches.
 */
export function newEpoch(user: UserDocument, settings: TenantSettings, now: number): NewEpoch {
  const epoch = user.epoch + 1;
  const longest = Math.max(settings.sessionAbsoluteMs, settings.cookieAbsoluteMs, settings.accessTokenMs);
  const effect = revokeEffect({ kind: 'user', id: user.id, epoch, until: now + longest });
  return { epoch, updatedAt: now, outbox: [...(user.outbox ?? []), effect] };
}

/** The user with a new password. A reset token that is out is over: it was asked for because of the old one. */
export function withPassword(user: UserDocument, hash: string, now: number, mustChange = false): UserDocument {
  const slots = { verification: user.slots?.verification };
  const next = { ...user, password: { hash, changedAt: now, mustChange }, slots, updatedAt: now };
  return { ...next, keys: keysOf(next) };
}

/** The unique keys of a user as it is: its id, its identifiers, its links, and the tokens that are out. */
export function keysOf(user: Pick<UserDocument, 'id' | 'identifiers' | 'slots' | 'links'>): readonly string[] {
  const { reset, verification } = user.slots ?? {};
  return [
    user.id,
    ...user.identifiers.map(identifierKey),
    ...(user.links ?? []).map(linkKey),
    ...(reset === undefined ? [] : [slotKey('reset', reset.id)]),
    ...(verification === undefined ? [] : [slotKey('verification', verification.id)]),
  ];
}

/** The key by which the user of a person at an identity provider is found. A digest: subjects are as long as a provider likes. */
export function linkKey({ issuer, subject }: Pick<FederatedLink, 'issuer' | 'subject'>): string {
  return `federated:${sha256(JSON.stringify([issuer, subject]))}`;
}

/** The key by which the user of a one-time token is found. No identifier has such a kind. */
export function slotKey(slot: 'reset' | 'verification', tokenId: string): string {
  return `${slot}:${tokenId}`;
}

/** Whether the user has a second factor in force. */
export function hasFactor(user: UserDocument | Draft<UserDocument>): boolean {
  return user.totp?.confirmedAt !== undefined;
}
