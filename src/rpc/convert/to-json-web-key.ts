import { create } from '@bufbuild/protobuf';
import { type JsonWebKey, JsonWebKeySchema } from '../../../gen/sallyport/v1/token_pb.ts';
import type { JsonWebKeySet } from '../../domain/keys/use-cases.ts';

/** Public members only, by the names of RFC 7517: nothing else of a key has a field to go into. */
export function toJsonWebKey(key: JsonWebKeySet['keys'][number]): JsonWebKey {
  const member = (name: string): string => {
    const value = key[name];
    return typeof value === 'string' ? value : '';
  };
  return create(JsonWebKeySchema, {
    kty: member('kty'),
    use: member('use'),
    alg: member('alg'),
    kid: member('kid'),
    crv: member('crv'),
    x: member('x'),
    y: member('y'),
    n: member('n'),
    e: member('e'),
  });
}
