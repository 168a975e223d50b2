import { Fault } from '../../platform/faults.ts';

/** Knows passwords from breaches by their SHA-1. */
export interface BreachedPasswords {
  /** `digest`: 40 upper-case hexadecimal digits. Throws UNAVAILABLE when it cannot be told. */
  has(digest: string, signal?: AbortSignal): Promise<boolean>;
}

/** Where the operator has set no range service: to ask is an outage, whose meaning the tenant has chosen. */
export const noBreachedPasswords: BreachedPasswords = {
  has: async () => {
    throw new Fault('UNAVAILABLE', 'SALLYPORT_BREACHED_PASSWORDS_URL is not set, so no password can be looked up');
  },
};
