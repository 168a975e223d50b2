import type { KeyRing } from '../../crypto/key-ring.ts';
import type { PasswordHasher } from '../../crypto/password-hasher.ts';
import type { Sealer } from '../../crypto/sealed-field.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { RandomSource } from '../../platform/random.ts';
import type { AuditNotes } from '../audit/audit-buffer.ts';
import type { HoldsRole } from '../decision/holds-role.ts';
import type { IsGone } from '../decision/is-gone.ts';
import type { Outbox } from '../outbox.ts';
import type { SessionStarter, SessionStepUp } from '../session/use-cases.ts';
import type { Store } from '../storage.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import type { Updates } from '../update.ts';
import type { Attempts } from './attempts.ts';
import type { BreachedPasswords } from './breached-passwords.ts';
import type { LoginGuard } from './login-guard.ts';
import type { Turns } from './turns.ts';

/** What the service hands to identity. */
export interface IdentityPorts {
  readonly store: Store;
  readonly updates: Updates;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly ring: KeyRing;
  readonly sealer: Sealer;
  readonly hasher: PasswordHasher;
  readonly breachedPasswords: BreachedPasswords;
  readonly tenants: TenantDirectory;
  readonly sessions: SessionStarter;
  readonly logger: Logger;
  readonly stepUp: SessionStepUp;
  readonly holdsRole: HoldsRole;
  readonly isGone: IsGone;
  /** For events that follow no write. */
  readonly audit: AuditNotes;
  /** Shown by authenticator apps beside the account; default `Sallyport`. */
  readonly totpIssuer?: string | undefined;
}

/** What its use cases share. */
export interface IdentityParts extends IdentityPorts {
  readonly attempts: Attempts;
  readonly loginGuard: LoginGuard;
  readonly turns: Turns;
}
