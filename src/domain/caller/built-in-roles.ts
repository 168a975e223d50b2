import type { Policy } from '../decision/use-cases.ts';

// What calling services may be: the roles of tenant `sallyport` (api.md "Caller roles"). They are compiled in, so that no policy
// write can break them; granting one there on the resource `tenant:<name>` lets a service call Sallyport for that tenant.
// test/cases/method-roles.ts writes out which role may call which method.

/** Asks questions: nothing it calls changes anything. */
const decider = ['decisions:read', 'api_keys:verify', 'tokens:verify', 'sessions:verify', 'revocations:read'];

/** Logs people in and keeps their sessions. `users:write` is missing on purpose: it may not change a factor or password on its word. */
const application = [
  'authentication:login',
  'authentication:enroll',
  'authentication:password',
  'authentication:verify',
  'users:create',
  'tokens:issue',
  'tokens:exchange',
  'tokens:rotate',
  'sessions:create',
  'sessions:read',
  'sessions:revoke',
];

// Written out, so that a permission that a later release adds under one of these nouns is given on purpose or not at all.
const manager = [
  'users:create',
  'users:read',
  'users:write',
  'users:delete',
  'users:import',
  'users:export',
  'api_keys:read',
  'api_keys:write',
  'grants:read',
  'grants:write',
  'policy:read',
  'policy:write',
  'signing_keys:read',
  'signing_keys:write',
  'changes:read',
  'sessions:read',
  'sessions:revoke',
  // Making, listing and disabling tenants is for admins.
  'tenants:read',
  'tenants:write',
  'providers:read',
  'providers:write',
  // EnrollTotp and ConfirmTotp by user id need it together with `users:write`.
  'authentication:enroll',
];

export const builtInPolicy: Policy = {
  roles: [
    { name: 'decider', permissions: decider, inherits: [] },
    { name: 'application', permissions: application, inherits: ['decider'] },
    // IssueTokens by subject checks `tokens:issue` as for anybody, and `tokens:vouch` for the subject.
    { name: 'voucher', permissions: ['tokens:issue', 'tokens:vouch'], inherits: [] },
    { name: 'manager', permissions: manager, inherits: [] },
    {
      name: 'auditor',
      permissions: [
        'users:read',
        'api_keys:read',
        'grants:read',
        'policy:read',
        'signing_keys:read',
        'changes:read',
        'sessions:read',
        'tenants:read',
        'providers:read',
        'audit:read',
      ],
      inherits: [],
    },
    { name: 'admin', permissions: ['*'], inherits: [] },
  ],
};
