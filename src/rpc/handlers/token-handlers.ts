import { create } from '@bufbuild/protobuf';
import {
  ExchangeTokenResponseSchema,
  GetJwksResponseSchema,
  type IssueTokensRequest,
  IssueTokensResponseSchema,
  ListSigningKeysResponseSchema,
  RevokeSigningKeyResponseSchema,
  type RotateRefreshRequest,
  RotateRefreshResponseSchema,
  RotateSigningKeyResponseSchema,
  type TokenService,
  type VerifyTokenRequest,
} from '../../../gen/sallyport/v1/token_pb.ts';
import type { KeyUseCases } from '../../domain/keys/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import type {
  IssueProof,
  IssueTokensInput,
  RotateRefreshInput,
  SessionUseCases,
} from '../../domain/session/use-cases.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { toVerifyTokenResponse } from '../convert/to-introspection.ts';
import { toExchangeOutcome, toTokensOutcome } from '../convert/to-issued.ts';
import { toJsonWebKey } from '../convert/to-json-web-key.ts';
import { toRevocationEvent } from '../convert/to-revocation-event.ts';
import { toSigningKey } from '../convert/to-signing-key.ts';
import { mapAnswer } from '../map-answer.ts';
import type { Handlers } from '../method.ts';
import { parseClient } from '../parse/parse-client.ts';
import { parseExchangeToken } from '../parse/parse-exchange.ts';
import { parseScopes, parseTokenOptions } from '../parse/parse-issue.ts';
import { parseUserOrService } from '../parse/parse-principal.ts';
import { opaqueText, optionalText, parseRequestId, requiredText } from '../parse/parse-text.ts';

const POSITION_CHARS = 128;
const KEY_ID_CHARS = 64;

export function tokenHandlers(
  sessions: Pick<
    SessionUseCases,
    'issueTokens' | 'exchangeToken' | 'rotateRefresh' | 'verifyToken' | 'watchRevocations'
  >,
  keys: Pick<KeyUseCases, 'jwks' | 'listSigningKeys' | 'rotateSigningKey' | 'revokeSigningKey'>,
): Handlers<typeof TokenService> {
  return {
    issueTokens: async (call, request) => {
      const outcome = await sessions.issueTokens(call, parseIssueTokens(request));
      return create(IssueTokensResponseSchema, { outcome: toTokensOutcome(outcome) });
    },
    exchangeToken: async (call, request) => {
      const outcome = await sessions.exchangeToken(call, parseExchangeToken(request));
      return create(ExchangeTokenResponseSchema, { outcome: toExchangeOutcome(outcome) });
    },
    rotateRefresh: async (call, request) => {
      const outcome = await sessions.rotateRefresh(call, parseRotateRefresh(request));
      return create(RotateRefreshResponseSchema, { outcome: toTokensOutcome(outcome) });
    },
    verifyToken: (call, request) => {
      const { tenant, token, audience } = parseVerifyToken(request);
      return mapAnswer(sessions.verifyToken(call, tenant, token, audience), (found) =>
        toVerifyTokenResponse(tenant, found),
      );
    },
    getJwks: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      violations.throwIfAny();
      const { keys: found } = await keys.jwks(tenant, call.signal);
      return create(GetJwksResponseSchema, { keys: found.map(toJsonWebKey) });
    },
    listSigningKeys: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      violations.throwIfAny();
      const found = await keys.listSigningKeys(call, tenant);
      return create(ListSigningKeysResponseSchema, { keys: found.map(toSigningKey) });
    },
    rotateSigningKey: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const ifActive = optionalText(request.activeKeyId, 'active_key_id', KEY_ID_CHARS, violations);
      violations.throwIfAny();
      const found = await keys.rotateSigningKey(call, tenant, ifActive);
      return create(RotateSigningKeyResponseSchema, { keys: found.map(toSigningKey) });
    },
    revokeSigningKey: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const kid = requiredText(request.keyId, 'key_id', KEY_ID_CHARS, violations);
      violations.throwIfAny();
      const found = await keys.revokeSigningKey(call, tenant, kid);
      return create(RevokeSigningKeyResponseSchema, { keys: found.map(toSigningKey) });
    },
    watchRevocations: async function* (call, request) {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const position = optionalText(request.position, 'position', POSITION_CHARS, violations);
      violations.throwIfAny();
      for await (const event of sessions.watchRevocations(call, tenant, position)) yield toRevocationEvent(event);
    },
  };
}

function parseIssueTokens(request: IssueTokensRequest): IssueTokensInput {
  const violations = new Violations();
  const input: IssueTokensInput = {
    tenant: parseTenantId(request.tenant, violations),
    proof: parseProof(request.proof, violations),
    request: parseTokenOptions(request.options, 'options', violations),
    client: parseClient(request.client, violations),
    requestId: parseRequestId(request.requestId, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseProof(proof: IssueTokensRequest['proof'], violations: Violations): IssueProof {
  switch (proof.case) {
    case 'authenticationToken':
      return { kind: 'authentication_token', token: opaqueText(proof.value, 'authentication_token', violations) };
    case 'subject':
      return { kind: 'subject', subject: parseUserOrService(proof.value, 'subject', violations) };
    case 'apiKey':
      return { kind: 'api_key', key: opaqueText(proof.value, 'api_key', violations) };
    case undefined:
      violations.add('proof', 'is required: one of authentication_token, subject, api_key');
      return { kind: 'authentication_token', token: '' };
  }
}

function parseRotateRefresh(request: RotateRefreshRequest): RotateRefreshInput {
  const violations = new Violations();
  const input: RotateRefreshInput = {
    tenant: parseTenantId(request.tenant, violations),
    refreshToken: opaqueText(request.refreshToken, 'refresh_token', violations),
    scopes: parseScopes(request.scopes, 'scopes', violations),
    client: parseClient(request.client, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseVerifyToken(request: VerifyTokenRequest): { tenant: string; token: string; audience: string } {
  const violations = new Violations();
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    token: opaqueText(request.accessToken, 'access_token', violations),
    audience: optionalText(request.audience, 'audience', limits.audienceChars, violations),
  };
  violations.throwIfAny();
  return input;
}
