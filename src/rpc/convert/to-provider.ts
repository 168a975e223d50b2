import { create } from '@bufbuild/protobuf';
import {
  GithubProviderSchema,
  GoogleProviderSchema,
  MicrosoftProviderSchema,
  type OidcProvider,
  OidcProviderSchema,
  type Provider as ProviderMessage,
  ProviderSchema,
} from '../../../gen/sallyport/v1/provider_pb.ts';
import type { Provider, ProviderKind } from '../../domain/federation/use-cases.ts';
import { toDuration, toTimestamp } from './to-timestamp.ts';

export function toProvider(provider: Provider): ProviderMessage {
  const { createdAt, kind, scopes, redirectUris, ...rest } = provider;
  return create(ProviderSchema, {
    ...rest,
    kind: toKind(kind),
    scopes: [...scopes],
    redirectUris: [...redirectUris],
    createTime: toTimestamp(createdAt),
  });
}

function toKind(kind: ProviderKind): ProviderMessage['kind'] {
  switch (kind.kind) {
    case 'oidc':
      return { case: 'oidc', value: toOidc(kind) };
    case 'google':
      return { case: 'google', value: create(GoogleProviderSchema) };
    case 'microsoft':
      return { case: 'microsoft', value: create(MicrosoftProviderSchema, { tenantId: kind.tenantId }) };
    case 'github':
      return { case: 'github', value: create(GithubProviderSchema) };
  }
}

function toOidc(kind: Extract<ProviderKind, { readonly kind: 'oidc' }>): OidcProvider {
  const message = create(OidcProviderSchema, { issuer: kind.issuer, acrValues: [...(kind.acrValues ?? [])] });
  const age = toDuration(kind.maxAuthenticationAgeMs);
  if (age !== undefined) message.maxAuthenticationAge = age;
  return message;
}
