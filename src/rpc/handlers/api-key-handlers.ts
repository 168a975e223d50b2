import { create } from '@bufbuild/protobuf';
import {
  type ApiKeyService,
  type CreateApiKeyRequest,
  CreateApiKeyResponseSchema,
  RevokeApiKeyResponseSchema,
  type VerifyApiKeyRequest,
  VerifyApiKeyResponseSchema,
} from '../../../gen/sallyport/v1/api_key_pb.ts';
import { parsePermission } from '../../domain/decision/permission.ts';
import type { CreateApiKeyInput, KeyUseCases, VerifyApiKeyInput } from '../../domain/keys/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkId, parseResource } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import type { Clock } from '../../platform/clock.ts';
import { toApiKey } from '../convert/to-api-key.ts';
import { toDecision } from '../convert/to-decision.ts';
import { mapAnswer } from '../map-answer.ts';
import type { Handlers } from '../method.ts';
import { parseAttributes } from '../parse/parse-attributes.ts';
import { parseClient } from '../parse/parse-client.ts';
import { parseScopes } from '../parse/parse-issue.ts';
import { parseUserOrService } from '../parse/parse-principal.ts';
import { opaqueText, optionalText, parseRequestId } from '../parse/parse-text.ts';
import { parseFutureTime } from '../parse/parse-time.ts';

export function apiKeyHandlers(
  keys: Pick<KeyUseCases, 'createApiKey' | 'revokeApiKey' | 'verifyApiKey'>,
  clock: Clock,
): Handlers<typeof ApiKeyService> {
  return {
    verifyApiKey: (call, request) =>
      mapAnswer(keys.verifyApiKey(call, parseVerifyApiKey(request)), ({ decision, key }) => {
        const message = create(VerifyApiKeyResponseSchema);
        message.decision = toDecision(decision);
        if (key !== undefined) message.key = toApiKey(key);
        return message;
      }),
    createApiKey: async (call, request) => {
      const { key, secret } = await keys.createApiKey(call, parseCreateApiKey(request, clock.now()));
      const alreadyCreated = secret === undefined;
      return create(CreateApiKeyResponseSchema, { key: toApiKey(key), apiKey: secret ?? '', alreadyCreated });
    },
    revokeApiKey: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const id = checkId(request.keyId, 'key_id', violations);
      violations.throwIfAny();
      return create(RevokeApiKeyResponseSchema, { key: toApiKey(await keys.revokeApiKey(call, tenant, id)) });
    },
  };
}

function parseVerifyApiKey(request: VerifyApiKeyRequest): VerifyApiKeyInput {
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

function parseCreateApiKey(request: CreateApiKeyRequest, now: number): CreateApiKeyInput {
  const violations = new Violations();
  const input: CreateApiKeyInput = {
    tenant: parseTenantId(request.tenant, violations),
    owner: parseUserOrService(request.owner, 'owner', violations),
    displayName: optionalText(request.displayName, 'display_name', limits.displayNameChars, violations),
    test: request.test,
    scopes: parseScopes(request.scopes, 'scopes', violations),
    validUntil: parseFutureTime(request.expireTime, 'expire_time', now, violations),
    requestId: parseRequestId(request.requestId, violations),
  };
  violations.throwIfAny();
  return input;
}
