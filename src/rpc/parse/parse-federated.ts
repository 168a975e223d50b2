import type { BeginFederatedLoginRequest, FederatedCredential } from '../../../gen/sallyport/v1/authentication_pb.ts';
import type { BeginLoginInput, FinishLoginInput } from '../../domain/federation/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import type { Violations } from '../../domain/violations.ts';
import { parseClient } from './parse-client.ts';
import { opaqueText, requiredText } from './parse-text.ts';

export function parseBeginLogin(request: BeginFederatedLoginRequest, violations: Violations): BeginLoginInput {
  return {
    tenant: parseTenantId(request.tenant, violations),
    providerId: checkId(request.providerId, 'provider_id', violations),
    redirectUri: requiredText(request.redirectUri, 'redirect_uri', limits.redirectUriChars, violations),
    client: parseClient(request.client, violations),
  };
}

/** What came back in the browser. Names and values are of whoever sent the browser here, so neither is ever echoed. */
export function parseFederated(
  credential: FederatedCredential,
  violations: Violations,
): Pick<FinishLoginInput, 'parameters' | 'browserBinding'> {
  const field = 'federated.callback_parameters';
  const parameters = new Map(Object.entries(credential.callbackParameters));
  if (parameters.size === 0) violations.add(field, 'is required: every parameter of the callback');
  else if (parameters.size > limits.callbackParameters) {
    violations.add(field, `must be at most ${limits.callbackParameters}, were ${parameters.size}`);
  } else if ([...parameters].some((each) => each.some((text) => !isShort(text)))) {
    violations.add(field, `must each be well-formed and at most ${limits.callbackParameterChars} characters`);
  }
  return {
    parameters,
    browserBinding: opaqueText(credential.browserBinding, 'federated.browser_binding', violations),
  };
}

function isShort(text: string): boolean {
  return text.length <= limits.callbackParameterChars && text.isWellFormed();
}
