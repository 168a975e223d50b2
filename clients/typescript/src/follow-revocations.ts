import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { TokenService } from '../gen/sallyport/v1/token_pb.js';
import { CallError } from './call-error.ts';
import { createRevokedSet, type RevocableToken } from './revoked-set.ts';
import type { ServiceClient } from './service-client.ts';

/** What is known of a token's revocation. `unknown`: the stream is down or silent, so ask VerifyToken. */
export type Standing = 'good' | 'revoked' | 'unknown';

export interface RevocationFollower {
  /** Never waits, never throws. The first call begins the following. */
  standingOf(token: RevocableToken): Standing;
  /** Resolves when a standing can be given; rejects with the signal's reason. For programs that want to be warm before they serve. */
  whenFollowing(signal: AbortSignal): Promise<void>;
  stop(): void;
}

export interface FollowerPorts {
  readonly tokens: Pick<ServiceClient<typeof TokenService>, 'watchRevocations'>;
  /** Another JWKS is published now. */
  readonly onKeysChanged: () => void;
  /** Milliseconds, never backwards. */
  readonly monotonic: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

// The server sends a heartbeat every 15 s; a stream that is silent for longer may be one whose other end is gone.
const MAX_SILENCE_MS = 20_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** More than this is not kept: tokens are then asked about, one by one. About 100 MB. */
const MAX_ENTRIES = 1_000_000;

/**
 * Follows WatchRevocations, from a snapshot and after a break from the last position. While the stream is down nothing is decided from
 * memory: what was revoked meanwhile is not known here, and within a second it must not be honoured any more.
 */
export function followRevocations(ports: FollowerPorts): RevocationFollower {
  const revoked = createRevokedSet();
  const stopped = new AbortController();
  let isRunning = false;
  let isComplete = false;
  let heardAt = 0;
  let position = '';
  let waiting: (() => void)[] = [];

  const isFollowing = (): boolean =>
    isComplete && ports.monotonic() - heardAt <= MAX_SILENCE_MS && revoked.size <= MAX_ENTRIES;

  /** One stream, from `position` to its end. */
  const follow = async (): Promise<void> => {
    for await (const response of ports.tokens.watchRevocations({ position }, { signal: stopped.signal })) {
      const { event } = response;
      if (event.case === undefined) throw new Error('an event of a kind that this client does not know');
      revoked.take(event, Date.now());
      heardAt = ports.monotonic();
      if (event.case === 'changes' && event.value.signingKeysChanged) ports.onKeysChanged();
      // Empty until a snapshot is whole.
      if (response.position !== '') position = response.position;
      // Only this says that nothing is missing: after a break, changes may come in many parts.
      if (event.case !== 'heartbeat') continue;
      isComplete = true;
      for (const resolve of waiting.splice(0)) resolve();
    }
  };
  const run = async (): Promise<void> => {
    let pause = FIRST_PAUSE_MS;
    while (!stopped.signal.aborted) {
      const begunAt = ports.monotonic();
      try {
        await follow();
      } catch (error) {
        // A position that the server does not take, or an event that cannot be understood: from the beginning.
        if (!(error instanceof CallError) || error.code === status.INVALID_ARGUMENT) position = '';
      }
      isComplete = false;
      if (heardAt > begunAt) pause = FIRST_PAUSE_MS;
      // Full jitter: the clients of a replica that went away must not all come to the next one at once.
      await sleep(pause * ports.random(), undefined, { signal: stopped.signal, ref: false }).catch(() => {});
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  };
  const begin = (): void => {
    if (isRunning) return;
    isRunning = true;
    void run();
  };
  return {
    standingOf: (token) => {
      begin();
      if (!isFollowing()) return 'unknown';
      return revoked.isRevoked(token) ? 'revoked' : 'good';
    },
    whenFollowing: (signal) => {
      begin();
      if (isFollowing()) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const ready = (): void => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        };
        const giveUp = (): void => {
          waiting = waiting.filter((each) => each !== ready);
          reject(signal.reason);
        };
        if (signal.aborted) return giveUp();
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.push(ready);
      });
    },
    stop: () => stopped.abort(),
  };
}
