import { createAttempts } from './attempts.ts';
import { authenticate } from './authenticate.ts';
import { confirmTotp } from './confirm-totp.ts';
import { createUser } from './create-user.ts';
import { deleteUser } from './delete-user.ts';
import { enrollTotp } from './enroll-totp.ts';
import { getUser } from './get-user.ts';
import { listUsers } from './list-users.ts';
import { defaultPasswordRules } from './password-policy.ts';
import type { IdentityParts, IdentityPorts } from './ports.ts';
import { setPassword } from './set-password.ts';
import { createTurns } from './turns.ts';
import { updateUser } from './update-user.ts';
import type { IdentityUseCases } from './use-cases.ts';
import { verifyTotp } from './verify-totp.ts';

/** The use cases of identity over the given ports. */
export function createIdentity(ports: IdentityPorts): IdentityUseCases {
  const parts: IdentityParts = {
    ...ports,
    attempts: createAttempts({ counters: ports.store.counters, clock: ports.clock }),
    turns: createTurns(),
    passwordRules: defaultPasswordRules,
  };
  return {
    authenticate: (call, input) => authenticate(parts, call, input),
    verifyTotp: (call, input) => verifyTotp(parts, call, input),
    createUser: (call, input) => createUser(parts, call, input),
    getUser: (call, tenant, selector) => getUser(parts, call, tenant, selector),
    listUsers: (call, tenant, page) => listUsers(parts, call, tenant, page),
    updateUser: (call, input) => updateUser(parts, call, input),
    deleteUser: (call, tenant, userId, etag) => deleteUser(parts, call, tenant, userId, etag),
    setPassword: (call, tenant, userId, password, mustChange) =>
      setPassword(parts, call, tenant, userId, password, mustChange),
    enrollTotp: (call, input) => enrollTotp(parts, call, input),
    confirmTotp: (call, input) => confirmTotp(parts, call, input),
  };
}
