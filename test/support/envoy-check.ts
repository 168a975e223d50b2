import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  Authorization,
  type CheckRequestSchema,
  type CheckResponse,
} from '../../gen/envoy/service/auth/v3/external_auth_pb.ts';
import { grpcClient } from './grpc-client.ts';

// What Envoy asks and what it does with the answer, as a client of envoy.service.auth.v3.

export interface AskedRequest {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly scheme?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of `headers`: as with `encode_raw_headers`. */
  readonly rawHeaders?: readonly (readonly [name: string, value: string])[];
  readonly ip?: string;
  /** In the `context_extensions` of Envoy's configuration. */
  readonly tenant?: string;
}

/** What would become of the request. */
export interface Passage {
  /** 200: it goes on. */
  readonly status: number;
  /** Set on it, or of the answer in its place. */
  readonly headers: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
  readonly body: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export function envoyAt(address: string, key: string) {
  const client = grpcClient(Authorization, address, { key });
  return {
    close: () => client.close(),
    pass: async (asked: AskedRequest): Promise<Passage> => passageOf(await client.check(checkRequest(asked))),
  };
}

export function checkRequest(asked: AskedRequest): MessageInitShape<typeof CheckRequestSchema> {
  const { method = 'GET', path = '/', host = 'api.example.com', scheme = 'https', ip, tenant } = asked;
  const encoder = new TextEncoder();
  const raw = asked.rawHeaders?.map(([key, value]) => ({ key, rawValue: encoder.encode(value) }));
  const http = { method, path, host, scheme, headers: { ...asked.headers } };
  return {
    attributes: {
      request: { http: raw === undefined ? http : { ...http, headerMap: { headers: raw } } },
      contextExtensions: tenant === undefined ? {} : { tenant },
      ...(ip === undefined
        ? {}
        : { source: { address: { address: { case: 'socketAddress', value: { address: ip } } } } }),
    },
  };
}

function passageOf({ status, httpResponse, dynamicMetadata }: CheckResponse): Passage {
  const said = { removed: [], body: {}, metadata: dynamicMetadata ?? {} };
  if (httpResponse.case === undefined) return { ...said, status: 403, headers: {} };
  const headers = Object.fromEntries(
    httpResponse.value.headers.map(({ header }) => [header?.key ?? '', header?.value ?? '']),
  );
  if (httpResponse.case === 'okResponse') {
    return { ...said, status: status?.code === 0 ? 200 : 403, headers, removed: httpResponse.value.headersToRemove };
  }
  const { status: http, body } = httpResponse.value;
  return { ...said, status: http?.code ?? 403, headers, body: JSON.parse(body) as Passage['body'] };
}
