import type {
  AttributeContext,
  AttributeContext_HttpRequest,
} from '../../../gen/envoy/service/auth/v3/attribute_context_pb.ts';
import type { HttpRequest } from '../../domain/gateway/check-request.ts';
import { RequestHeaders } from '../../domain/gateway/request-headers.ts';

const utf8 = new TextDecoder();

/** The request that Envoy asks about; undefined: it is about none (the network filter). */
export function toHttpRequest(attributes: AttributeContext | undefined): HttpRequest | undefined {
  const http = attributes?.request?.http;
  if (http === undefined) return undefined;
  const address = attributes?.source?.address?.address;
  const ip = address?.case === 'socketAddress' && address.value.address !== '' ? address.value.address : undefined;
  const { method, path: target, scheme, host } = http;
  return { method, target, scheme, host, ip, headers: new RequestHeaders(pairs(http)) };
}

/** As one value each or, with `encode_raw_headers`, as they came. */
function* pairs(http: AttributeContext_HttpRequest): Generator<readonly [string, string]> {
  yield* Object.entries(http.headers);
  for (const { key, value, rawValue } of http.headerMap?.headers ?? []) {
    yield [key, rawValue.length > 0 ? utf8.decode(rawValue) : value];
  }
}
