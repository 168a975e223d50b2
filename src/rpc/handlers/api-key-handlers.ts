import { create } from '@bufbuild/protobuf';
import {
  type ApiKeyService,
  CreateApiKeyResponseSchema,
  GetApiKeyResponseSchema,
  ListApiKeysResponseSchema,
  RevokeApiKeyResponseSchema,
  RotateApiKeyResponseSchema,
  UpdateApiKeyResponseSchema,
} from '../../../gen/sallyport/v1/api_key_pb.ts';
import type { KeyUseCases } from '../../domain/keys/use-cases.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import type { Clock } from '../../platform/clock.ts';
import { toApiKey } from '../convert/to-api-key.ts';
import { toVerifyApiKeyResponse } from '../convert/to-verified-api-key.ts';
import { mapAnswer } from '../map-answer.ts';
import type { Handlers } from '../method.ts';
import {
  parseCreateApiKey,
  parseListApiKeys,
  parseRotateApiKey,
  parseUpdateApiKey,
  parseVerifyApiKey,
} from '../parse/parse-api-key.ts';

export function apiKeyHandlers(keys: Omit<KeyUseCases, 'jwks'>, clock: Clock): Handlers<typeof ApiKeyService> {
  return {
    verifyApiKey: (call, request) =>
      mapAnswer(keys.verifyApiKey(call, parseVerifyApiKey(request)), toVerifyApiKeyResponse),
    createApiKey: async (call, request) => {
      const { key, secret } = await keys.createApiKey(call, parseCreateApiKey(request, clock.now()));
      const alreadyCreated = secret === undefined;
      const shown = toApiKey(key, key.touchedAt);
      return create(CreateApiKeyResponseSchema, { key: shown, apiKey: secret ?? '', alreadyCreated });
    },
    getApiKey: async (call, request) => {
      const { tenant, id } = parseKeyRef(request);
      const key = await keys.getApiKey(call, tenant, id);
      return create(GetApiKeyResponseSchema, { key: toApiKey(key, key.touchedAt) });
    },
    listApiKeys: async (call, request) => {
      const page = await keys.listApiKeys(call, parseListApiKeys(request));
      return create(ListApiKeysResponseSchema, {
        keys: page.keys.map((key) => toApiKey(key, key.touchedAt)),
        nextPageToken: page.nextPageToken,
      });
    },
    updateApiKey: async (call, request) => {
      const key = await keys.updateApiKey(call, parseUpdateApiKey(request, clock.now()));
      return create(UpdateApiKeyResponseSchema, { key: toApiKey(key, key.touchedAt) });
    },
    rotateApiKey: async (call, request) => {
      const { key, secret } = await keys.rotateApiKey(call, parseRotateApiKey(request));
      return create(RotateApiKeyResponseSchema, { key: toApiKey(key, key.touchedAt), apiKey: secret });
    },
    revokeApiKey: async (call, request) => {
      const { tenant, id } = parseKeyRef(request);
      const key = await keys.revokeApiKey(call, tenant, id);
      return create(RevokeApiKeyResponseSchema, { key: toApiKey(key, key.touchedAt) });
    },
  };
}

function parseKeyRef(request: { readonly tenant: string; readonly keyId: string }): {
  readonly tenant: string;
  readonly id: string;
} {
  const violations = new Violations();
  const tenant = parseTenantId(request.tenant, violations);
  const id = checkId(request.keyId, 'key_id', violations);
  violations.throwIfAny();
  return { tenant, id };
}
