import {
  type CreateUserRequest,
  IdentifierKind,
  type Identifier as IdentifierMessage,
  type ImportUsersRequest,
  type UpdateUserRequest,
} from '../../../gen/sallyport/v1/user_pb.ts';
import type { CreateUserInput, Identifier, ImportedRow, UpdateUserInput } from '../../domain/identity/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { parseClient } from './parse-client.ts';
import { optionalText, parseEtag, parseRequestId, passwordText, requiredText } from './parse-text.ts';

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
    identifiers: parseIdentifiers(request.identifiers, 'identifiers', violations),
    displayName:
      request.displayName === ''
        ? undefined
        : optionalText(request.displayName, 'display_name', limits.displayNameChars, violations),
    metadata: parseNotes(request.metadata, violations),
    password: request.password === '' ? undefined : passwordText(request.password, 'password', violations),
    mustChangePassword: request.mustChangePassword,
    requestId: parseRequestId(request.requestId, violations),
    client: parseClient(request.client, violations),
  };
  violations.throwIfAny();
  return input;
}

/** UpdateUser's request. */
export function parseUserChanges(request: UpdateUserRequest): UpdateUserInput {
  const violations = new Violations();
  const { identifiers, displayName, metadata } = request;
  const input: UpdateUserInput = {
    tenant: parseTenantId(request.tenant, violations),
    userId: checkId(request.userId, 'user_id', violations),
    etag: parseEtag(request.etag, violations),
    identifiers:
      identifiers === undefined
        ? undefined
        : parseIdentifiers(identifiers.identifiers, 'identifiers.identifiers', violations, true),
    displayName:
      displayName === undefined
        ? undefined
        : optionalText(displayName, 'display_name', limits.displayNameChars, violations),
    metadata: metadata === undefined ? undefined : (parseNotes(metadata.metadata, violations) ?? {}),
    disabled: request.disabled,
  };
  violations.throwIfAny();
  return input;
}

/** One row of ImportUsers. */
export function parseImportedRow(request: ImportUsersRequest, violations: Violations): ImportedRow {
  const { displayName, passwordHash } = request;
  return {
    rowKey: requiredText(request.rowKey, 'row_key', ROW_KEY_CHARS, violations),
    identifiers: parseIdentifiers(request.identifiers, 'identifiers', violations, true),
    displayName:
      displayName === '' ? undefined : optionalText(displayName, 'display_name', limits.displayNameChars, violations),
    metadata: parseNotes(request.metadata, violations),
    passwordHash: passwordHash === '' ? undefined : requiredText(passwordHash, 'password_hash', HASH_CHARS, violations),
    mustChangePassword: request.mustChangePassword,
    disabled: request.disabled,
  };
}

const ROW_KEY_CHARS = 128;
const HASH_CHARS = 512;

/** `mayBeVerified`: the use case judges whether the mark is true. */
function parseIdentifiers(
  values: readonly IdentifierMessage[],
  path: string,
  violations: Violations,
  mayBeVerified = false,
): readonly Identifier[] {
  if (values.length === 0) violations.add(path, `is required: 1 to ${limits.identifiersPerUser}`);
  if (values.length > limits.identifiersPerUser) {
    violations.add(path, `must be at most ${limits.identifiersPerUser}, were ${values.length}`);
    return [];
  }
  return values.map((value, index) => {
    const field = `${path}[${index}]`;
    const kind = kinds[value.kind];
    if (kind === undefined) violations.add(`${field}.kind`, 'is required: EMAIL, PHONE or USERNAME');
    if (value.verified && !mayBeVerified) violations.add(`${field}.verified`, 'must be false: the server sets it');
    return {
      kind: kind ?? 'username',
      value: requiredText(value.value, `${field}.value`, limits.identifierChars, violations),
      verified: value.verified,
    };
  });
}

/** The caller's own notes; undefined when there are none. */
export function parseNotes(
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
