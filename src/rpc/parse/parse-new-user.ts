import {
  type CreateUserRequest,
  IdentifierKind,
  type Identifier as IdentifierMessage,
} from '../../../gen/sallyport/v1/user_pb.ts';
import type { CreateUserInput, Identifier } from '../../domain/identity/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { optionalText, parseRequestId, passwordText, requiredText } from './parse-text.ts';

const kinds: Readonly<Record<number, Identifier['kind']>> = {
  [IdentifierKind.EMAIL]: 'email',
  [IdentifierKind.PHONE]: 'phone',
  [IdentifierKind.USERNAME]: 'username',
};

/** CreateUser's request. Whether an identifier is a good one of its kind, and a password strong enough, the use case says. */
export function parseNewUser(request: CreateUserRequest): CreateUserInput {
  const violations = new Violations();
  const input: CreateUserInput = {
    tenant: parseTenantId(request.tenant, violations),
    identifiers: parseIdentifiers(request.identifiers, violations),
    displayName:
      request.displayName === ''
        ? undefined
        : optionalText(request.displayName, 'display_name', limits.displayNameChars, violations),
    metadata: parseNotes(request.metadata, violations),
    password: request.password === '' ? undefined : passwordText(request.password, 'password', violations),
    mustChangePassword: false,
    requestId: parseRequestId(request.requestId, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseIdentifiers(values: readonly IdentifierMessage[], violations: Violations): readonly Identifier[] {
  if (values.length === 0) violations.add('identifiers', `is required: 1 to ${limits.identifiersPerUser}`);
  if (values.length > limits.identifiersPerUser) {
    violations.add('identifiers', `must be at most ${limits.identifiersPerUser}, were ${values.length}`);
    return [];
  }
  return values.map((value, index) => {
    const field = `identifiers[${index}]`;
    const kind = kinds[value.kind];
    if (kind === undefined) violations.add(`${field}.kind`, 'is required: EMAIL, PHONE or USERNAME');
    if (value.verified) violations.add(`${field}.verified`, 'must be false: the server sets it');
    return {
      kind: kind ?? 'username',
      value: requiredText(value.value, `${field}.value`, limits.identifierChars, violations),
      verified: false,
    };
  });
}

/** The caller's own notes; undefined when there are none. */
function parseNotes(
  values: Readonly<Record<string, string>>,
  violations: Violations,
): Readonly<Record<string, string>> | undefined {
  const text = JSON.stringify(values);
  if (text === '{}') return undefined;
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.attributesBytes) {
    violations.add('metadata', `must be at most ${limits.attributesBytes} bytes of JSON, was ${bytes}`);
  } else if (
    !Object.entries(values)
      .flat()
      .every((each) => each.isWellFormed())
  ) {
    violations.add('metadata', 'must not contain lone surrogates');
  } else if (Object.hasOwn(values, '__proto__')) violations.add('metadata', 'must not contain a key named __proto__');
  return values;
}
