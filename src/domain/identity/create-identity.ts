import { createAttempts } from './attempts.ts';
import { authenticate } from './authenticate.ts';
import { regenerateRecoveryCodes, removeTotp } from './change-factor.ts';
import { changePassword } from './change-password.ts';
import { checkPassword } from './check-password.ts';
import { confirmTotp } from './confirm-totp.ts';
import { createUser } from './create-user.ts';
import { deleteUser } from './delete-user.ts';
import { enrollTotp } from './enroll-totp.ts';
import { getUser } from './get-user.ts';
import { importUser } from './import-user.ts';
import { listUsers } from './list-users.ts';
import { createLoginGuard } from './login-guard.ts';
import type { IdentityParts, IdentityPorts } from './ports.ts';
import { removeLink } from './remove-link.ts';
import { requestPasswordReset, resetPassword } from './reset-password.ts';
import { setPassword } from './set-password.ts';
import { createTurns } from './turns.ts';
import { unlockUser } from './unlock-user.ts';
import { updateUser } from './update-user.ts';
import type { IdentityUseCases } from './use-cases.ts';
import { confirmVerification, requestVerification } from './verify-address.ts';
import { verifyTotp } from './verify-totp.ts';

/** The use cases of identity over the given ports. */
export function createIdentity(ports: IdentityPorts): IdentityUseCases {
  const { clock } = ports;
  const { counters } = ports.store;
  const attempts = createAttempts({ counters, clock });
  const parts: IdentityParts = {
    ...ports,
    attempts,
    loginGuard: createLoginGuard({ counters, clock, attempts }),
    turns: createTurns(),
  };
  return {
    authenticate: (call, input) => authenticate(parts, call, input),
    verifyTotp: (call, input) => verifyTotp(parts, call, input),
    createUser: (call, input) => createUser(parts, call, input),
    getUser: (call, tenant, selector) => getUser(parts, call, tenant, selector),
    listUsers: (call, tenant, page) => listUsers(parts, call, tenant, page),
    importUser: (call, tenant, row) => importUser(parts, call, tenant, row),
    updateUser: (call, input) => updateUser(parts, call, input),
    deleteUser: (call, tenant, userId, etag) => deleteUser(parts, call, tenant, userId, etag),
    setPassword: (call, tenant, userId, password, mustChange) =>
      setPassword(parts, call, tenant, userId, password, mustChange),
    checkPassword: (call, input) => checkPassword(parts, call, input),
    changePassword: (call, input) => changePassword(parts, call, input),
    requestPasswordReset: (call, tenant, identifier, client) =>
      requestPasswordReset(parts, call, tenant, identifier, client),
    resetPassword: (call, input) => resetPassword(parts, call, input),
    requestVerification: (call, tenant, userId, address) => requestVerification(parts, call, tenant, userId, address),
    confirmVerification: (call, tenant, token, client) => confirmVerification(parts, call, tenant, token, client),
    removeLink: (call, tenant, userId, link) => removeLink(parts, call, tenant, userId, link),
    unlockUser: (call, tenant, userId) => unlockUser(parts, call, tenant, userId),
    enrollTotp: (call, input) => enrollTotp(parts, call, input),
    removeTotp: (call, input) => removeTotp(parts, call, input),
    regenerateRecoveryCodes: (call, input) => regenerateRecoveryCodes(parts, call, input),
    confirmTotp: (call, input) => confirmTotp(parts, call, input),
  };
}
