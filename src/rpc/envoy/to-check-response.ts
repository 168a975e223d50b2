import { create } from '@bufbuild/protobuf';
import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type HeaderValueOption,
  HeaderValueOptionSchema,
} from '../../../gen/envoy/config/core/v3/base_pb.ts';
import { type CheckResponse, CheckResponseSchema } from '../../../gen/envoy/service/auth/v3/external_auth_pb.ts';
import { StatusCode } from '../../../gen/envoy/type/v3/http_status_pb.ts';
import type { GatewayRefusal, GatewayVerdict } from '../../domain/gateway/check-request.ts';
import type { RequestHeaders } from '../../domain/gateway/request-headers.ts';
import { formatSubject } from '../../domain/subject.ts';
import { type ErrorName, statusCodes } from '../status-code.ts';

/** What the application behind the gateway is told. Nobody else may say it. */
export const SUBJECT_HEADER = 'x-sallyport-subject';
export const TENANT_HEADER = 'x-sallyport-tenant';
const OURS = /^x[-_]sallyport[-_]/;
/**
 * By these an application could be made to serve another method or path than was decided about; frameworks that read them are many.
 */
const DETOURS = ['x-http-method', 'x-http-method-override', 'x-method-override', 'x-original-url', 'x-rewrite-url'];

interface Form {
  readonly http: StatusCode;
  readonly status: ErrorName;
  /** In the body. */
  readonly error: string;
}

const FORMS: Readonly<Record<GatewayRefusal, Form>> = {
  malformed: { http: StatusCode.BadRequest, status: 'INVALID_ARGUMENT', error: 'bad_request' },
  too_large: { http: StatusCode.RequestHeaderFieldsTooLarge, status: 'INVALID_ARGUMENT', error: 'headers_too_large' },
  unauthenticated: { http: StatusCode.Unauthorized, status: 'UNAUTHENTICATED', error: 'unauthenticated' },
  forbidden: { http: StatusCode.Forbidden, status: 'PERMISSION_DENIED', error: 'forbidden' },
  limited: { http: StatusCode.TooManyRequests, status: 'RESOURCE_EXHAUSTED', error: 'too_many_requests' },
  unavailable: { http: StatusCode.ServiceUnavailable, status: 'UNAVAILABLE', error: 'unavailable' },
};

export function toCheckResponse(
  verdict: GatewayVerdict,
  tenant: string,
  headers: RequestHeaders | undefined,
  requestId: string,
): CheckResponse {
  return verdict.kind === 'allowed' ? passed(verdict, tenant, headers) : stopped(verdict, requestId);
}

function passed(
  { subject }: Extract<GatewayVerdict, { readonly kind: 'allowed' }>,
  tenant: string,
  headers: RequestHeaders | undefined,
): CheckResponse {
  const said =
    subject === undefined ? [] : [set(SUBJECT_HEADER, encodeText(formatSubject(subject))), set(TENANT_HEADER, tenant)];
  const names = new Set(said.map(({ header }) => header?.key));
  // Some servers read `x_a` and `x-a` as one, so every spelling that came goes, and those that replace are not removed after that.
  const spoofed = [...(headers?.names() ?? []), SUBJECT_HEADER, TENANT_HEADER].filter((name) => OURS.test(name));
  const removed = [...new Set([...spoofed, ...DETOURS])].filter((name) => !names.has(name));
  return create(CheckResponseSchema, {
    status: { code: 0 },
    httpResponse: { case: 'okResponse', value: { headers: said, headersToRemove: removed } },
    ...(subject === undefined ? {} : { dynamicMetadata: { subject: formatSubject(subject), tenant } }),
  });
}

function stopped(
  { refusal, reason, retryAfterMs }: Extract<GatewayVerdict, { readonly kind: 'refused' }>,
  requestId: string,
): CheckResponse {
  const { http, status, error } = FORMS[refusal];
  const isToldWhy = /^(?:CREDENTIAL|CSRF)_/.test(reason);
  const body = { error, ...(isToldWhy ? { reason } : {}), request_id: requestId };
  return create(CheckResponseSchema, {
    status: { code: statusCodes[status], message: reason },
    httpResponse: {
      case: 'deniedResponse',
      value: {
        status: { code: http },
        headers: [
          set('content-type', 'application/json'),
          set('cache-control', 'no-store'),
          ...(refusal === 'unauthenticated' ? [set('www-authenticate', 'Bearer realm="sallyport"')] : []),
          ...(refusal === 'unavailable' || refusal === 'limited' ? [set('retry-after', retryAfter(retryAfterMs))] : []),
        ],
        body: `${JSON.stringify(body)}\n`,
      },
    },
    dynamicMetadata: { reason, request_id: requestId },
  });
}

/** In place of what the request had. Older Envoys read `append`, newer ones the action. */
function set(key: string, value: string): HeaderValueOption {
  return create(HeaderValueOptionSchema, {
    header: { key, value },
    append: false,
    appendAction: AppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  });
}

function retryAfter(ms: number | undefined): string {
  return String(Math.max(1, Math.ceil((ms ?? 0) / 1000)));
}

/** Ids can have any character; a header takes printable ASCII. As in a path, with `%` for itself. */
function encodeText(text: string): string {
  return text.replaceAll(/[^\x21-\x24\x26-\x7e]/gu, (character) => encodeURIComponent(character));
}
