import type { limits } from '../../src/domain/limits.ts';

// Where every limit of src/domain/limits.ts is tried at and past it: `cases` are names of test/cases/request-limits.ts, `test` the beginning of
// the name of a test in test/domain/limits.test.ts.

export type LimitTrial = { readonly cases: readonly string[] } | { readonly test: string };

export const limitTrials: Readonly<Record<keyof typeof limits, LimitTrial>> = {
  messageBytes: { test: 'a message of 4 MiB' },
  identifierChars: { cases: ['subject id', 'resource id', 'login identifier', 'identifier characters'] },
  passwordBytes: { cases: ['password bytes, counted in UTF-8'] },
  contextBytes: { cases: ['context bytes', 'subject properties', 'resource properties'] },
  contextDepth: { cases: ['context depth'] },
  attributesBytes: { cases: ['user metadata', 'stored attributes'] },
  batchItems: { cases: ['batch items'] },
  pageSize: { cases: ['page size'] },
  changesPerWrite: { cases: ['changes of a write'] },
  permissionChars: { cases: ['permission characters'] },
  permissionSegments: { cases: ['permission segments'] },
  roleDepth: { test: 'roles inherit over 32 levels' },
  groupDepth: { test: 'groups nest over 32 levels' },
  resourceDepth: { test: 'resources lie in each other over 32 levels' },
  conditionBytes: { cases: ['condition bytes'] },
  apiKeysPerOwner: { test: 'an owner has at most 1,000' },
  sessionsPerUser: { test: 'a user has at most 1,000' },
  violationsReported: { test: 'at most 20 violations' },
  userAgentChars: { cases: ['user agent'] },
  audiences: { cases: ['audiences'] },
  scopes: { cases: ['scopes'] },
  metadataBytes: { test: 'request metadata of 16 KiB' },
  identifiersPerUser: { cases: ['identifiers of a user'] },
  displayNameChars: { cases: ['display name'] },
  commentChars: { cases: ['comment of a policy'] },
  deviceIdChars: { cases: ['device id'] },
  cookieNameChars: { cases: ['cookie name'] },
  audienceChars: { cases: ['audience characters'] },
  allowedAudiences: { cases: ['allowed audiences of a key', 'allowed audiences of a tenant'] },
  allowedOrigins: { cases: ['allowed origins'] },
  allowedNetworks: { cases: ['allowed networks'] },
  keyCallsPerMinute: { cases: ['calls of a key per minute'] },
  keyBurst: { cases: ['burst of a key'] },
  claimsBytes: { cases: ['claims'] },
  actorDepth: { test: 'a token is exchanged at most 4 times' },
  contextualGrants: { cases: ['contextual grants'] },
  iteratedElements: { test: 'a condition goes through 1,000 elements' },
  preconditionsPerWrite: { cases: ['preconditions of a write'] },
};
