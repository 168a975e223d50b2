// What goes between the service and its hashing process. Passwords and peppers pass here only: arguments and environment of a
// process can be read by others on the machine.

/** argon2id cost (RFC 9106 section 3.1). */
export interface HashCost {
  /** m, KiB. */
  readonly memoryKiB: number;
  /** t. */
  readonly passes: number;
  /** p. */
  readonly lanes: number;
}

export type HashJob =
  | { readonly kind: 'hash'; readonly password: string; readonly keyId: string }
  /** `phc` is the stored hash without its key id. */
  | { readonly kind: 'verify'; readonly password: string; readonly keyId: string; readonly phc: string }
  /** A hash that was brought along, without a pepper. */
  | { readonly kind: 'verify_foreign'; readonly password: string; readonly hash: string }
  /** No hash at all: how guessable it is, which is not for the service's event loop either. */
  | { readonly kind: 'estimate'; readonly password: string; readonly context: readonly string[] };

export type ToHashingProcess =
  | {
      readonly kind: 'start';
      readonly cost: HashCost;
      /** 32 bytes each, by key id. */
      readonly peppers: readonly (readonly [keyId: string, pepper: Uint8Array])[];
      /** Jobs that are run at once; what is sent beyond that waits its turn there. */
      readonly concurrency: number;
    }
  /** Nobody waits for that job any more: it is not run, unless it runs already. */
  | { readonly kind: 'drop'; readonly id: number }
  | (HashJob & { readonly id: number });

export type HashAnswer =
  | { readonly kind: 'hashed'; readonly phc: string }
  | { readonly kind: 'verified'; readonly match: boolean }
  | { readonly kind: 'estimated'; readonly common: boolean; readonly score: number }
  /** argon2 could not do it, for example for want of memory. */
  | { readonly kind: 'failed' };

export type FromHashingProcess =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: HashAnswer };
