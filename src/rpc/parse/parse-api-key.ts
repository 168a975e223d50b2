import type {
  ApiKeyRateLimit,
  CreateApiKeyRequest,
  ListApiKeysRequest,
  RotateApiKeyRequest,
  UpdateApiKeyRequest,
  VerifyApiKeyRequest,
} from '../../../gen/sallyport/v1/api_key_pb.ts';
import { parsePermission } from '../../domain/decision/permission.ts';
import { checkAudiences } from '../../domain/keys/check-audiences.ts';
import { checkNetworks } from '../../domain/keys/check-networks.ts';
import type {
  ApiKeyChanges,
  ApiKeyRate,
  CreateApiKeyInput,
  ListApiKeysInput,
  RotateApiKeyInput,
  UpdateApiKeyInput,
  VerifyApiKeyInput,
} from '../../domain/keys/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkId, parseResource } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { parseAttributes } from './parse-attributes.ts';
import { parseClient } from './parse-client.ts';
import { parseScopes } from './parse-issue.ts';
import { parseNotes } from './parse-new-user.ts';
import { parsePage } from './parse-page.ts';
import { parseUserOrService } from './parse-principal.ts';
import { opaqueText, optionalText, parseRequestId } from './parse-text.ts';
import { parseDuration, parseFutureTime } from './parse-time.ts';

const DAY_MS = 24 * 3_600_000;
const DEFAULT_OVERLAP_MS = DAY_MS;
const MAX_OVERLAP_MS = 30 * DAY_MS;
const ETAG_CHARS = 256;

export function parseVerifyApiKey(request: VerifyApiKeyRequest): VerifyApiKeyInput {
  const violations = new Violations();
  const { permission, resource } = request;
  if (permission === '' && resource !== undefined) {
    violations.add('resource', 'is only taken with a permission: a key alone is not judged on a resource');
  }
  const input: VerifyApiKeyInput = {
    tenant: parseTenantId(request.tenant, violations),
    apiKey: opaqueText(request.apiKey, 'api_key', violations),
    permission: permission === '' ? '' : parsePermission(permission, 'permission', violations),
    resource: parseResource(resource, 'resource', violations),
    context: parseAttributes(request.context, 'context', violations),
    client: parseClient(request.client, violations),
  };
  violations.throwIfAny();
  return input;
}

export function parseCreateApiKey(request: CreateApiKeyRequest, now: number): CreateApiKeyInput {
  const violations = new Violations();
  const input: CreateApiKeyInput = {
    tenant: parseTenantId(request.tenant, violations),
    owner: parseUserOrService(request.owner, 'owner', violations),
    displayName: optionalText(request.displayName, 'display_name', limits.displayNameChars, violations),
    test: request.test,
    scopes: parseScopes(request.scopes, 'scopes', violations),
    validUntil: parseFutureTime(request.expireTime, 'expire_time', now, violations),
    allowedNetworks: parseNetworks(request.allowedNetworks, violations),
    rateLimit: parseRate(request.rateLimit, violations),
    metadata: parseNotes(request.metadata, violations),
    allowedAudiences: parseAudiences(request.allowedAudiences, violations),
    requestId: parseRequestId(request.requestId, violations),
  };
  violations.throwIfAny();
  return input;
}

export function parseListApiKeys(request: ListApiKeysRequest): ListApiKeysInput {
  const violations = new Violations();
  const input: ListApiKeysInput = {
    tenant: parseTenantId(request.tenant, violations),
    owner: request.owner === undefined ? undefined : parseUserOrService(request.owner, 'owner', violations),
    page: parsePage(request, violations),
  };
  violations.throwIfAny();
  return input;
}

/** The names of update_mask: those of the request's fields. */
const CHANGEABLE: Readonly<Record<string, keyof ApiKeyChanges>> = {
  scopes: 'scopes',
  expire_time: 'validUntil',
  display_name: 'displayName',
  allowed_networks: 'allowedNetworks',
  rate_limit: 'rateLimit',
  metadata: 'metadata',
  allowed_audiences: 'allowedAudiences',
};

export function parseUpdateApiKey(request: UpdateApiKeyRequest, now: number): UpdateApiKeyInput {
  const violations = new Violations();
  const displayName = optionalText(request.displayName, 'display_name', limits.displayNameChars, violations);
  const given: ApiKeyChanges = {
    scopes: request.scopes.length === 0 ? undefined : parseScopes(request.scopes, 'scopes', violations),
    validUntil: parseFutureTime(request.expireTime, 'expire_time', now, violations),
    displayName: displayName === '' ? undefined : displayName,
    allowedNetworks: parseNetworks(request.allowedNetworks, violations),
    rateLimit: parseRate(request.rateLimit, violations),
    metadata: parseNotes(request.metadata, violations),
    allowedAudiences: parseAudiences(request.allowedAudiences, violations),
  } as ApiKeyChanges;
  const named = parseMask(request.updateMask?.paths ?? [], violations);
  for (const [field, name] of Object.entries(CHANGEABLE)) {
    // A field that would be ignored may be the one that narrows.
    if (given[name] !== undefined && !named.has(name)) violations.add(field, 'is set and not named in update_mask');
  }
  const input: UpdateApiKeyInput = {
    tenant: parseTenantId(request.tenant, violations),
    id: checkId(request.keyId, 'key_id', violations),
    etag: optionalText(request.etag, 'etag', ETAG_CHARS, violations),
    changes: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    cleared: new Set([...named].filter((name) => given[name] === undefined)),
  };
  violations.throwIfAny();
  return input;
}

function parseMask(paths: readonly string[], violations: Violations): ReadonlySet<keyof ApiKeyChanges> {
  const accepted = Object.keys(CHANGEABLE).join(', ');
  if (paths.length === 0) violations.add('update_mask', `is required: one or more of ${accepted}`);
  const named = new Set<keyof ApiKeyChanges>();
  for (const path of paths) {
    const name = Object.hasOwn(CHANGEABLE, path) ? CHANGEABLE[path] : undefined;
    if (name === undefined) violations.add('update_mask', `must name only ${accepted}`);
    else named.add(name);
  }
  return named;
}

export function parseRotateApiKey(request: RotateApiKeyRequest): RotateApiKeyInput {
  const violations = new Violations();
  const input: RotateApiKeyInput = {
    tenant: parseTenantId(request.tenant, violations),
    id: checkId(request.keyId, 'key_id', violations),
    overlapMs: parseDuration(request.overlap, 'overlap', MAX_OVERLAP_MS, violations) ?? DEFAULT_OVERLAP_MS,
    requestId: parseRequestId(request.requestId, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseNetworks(values: readonly string[], violations: Violations): readonly string[] | undefined {
  if (values.length === 0) return undefined;
  checkNetworks(values, 'allowed_networks', violations);
  return values;
}

function parseAudiences(values: readonly string[], violations: Violations): readonly string[] | undefined {
  if (values.length === 0) return undefined;
  checkAudiences(values, 'allowed_audiences', violations);
  return [...new Set(values)];
}

const SECONDS_PER_MINUTE = 60;

/** Without a burst: what a second allows. The use case checks the numbers. */
function parseRate(value: ApiKeyRateLimit | undefined, violations: Violations): ApiKeyRate | undefined {
  if (value === undefined) return undefined;
  const { callsPerMinute, burst } = value;
  if (callsPerMinute < 1 || callsPerMinute > limits.keyCallsPerMinute) {
    violations.add('rate_limit.calls_per_minute', `must be 1 to ${limits.keyCallsPerMinute}`);
  }
  if (burst < 0 || burst > limits.keyBurst) violations.add('rate_limit.burst', `must be 0 to ${limits.keyBurst}`);
  return { callsPerMinute, burst: burst === 0 ? Math.max(1, Math.floor(callsPerMinute / SECONDS_PER_MINUTE)) : burst };
}
