import { SYSTEM_TENANT } from '../tenant/tenant.ts';

// Who may call what: one table of every method and route. It is built from the method option `(access)` of the contract, from the
// further permissions below, and from what is public by nature. A method that is not in it does not start.

/** A field that does more than its method's own permission covers. */
export interface FieldPermission {
  /** Name of the request's field or oneof, in its generated (camel-case) form. */
  readonly field: string;
  /** For a oneof: the member that needs the permission. Undefined: the field being set at all. */
  readonly member?: string | undefined;
  readonly permission: string;
}

export type AccessRule =
  | { readonly kind: 'public' }
  | {
      readonly kind: 'permission';
      /** Checked in tenant `sallyport` on the resource `tenant:<requested tenant>`, which the request names in its field `tenant`. */
      readonly permission: string;
      /** The tenant of the resource, for a method that tells of all tenants and names none. */
      readonly onTenant?: string | undefined;
      /** All that apply are checked as well, on the same resource. */
      readonly further: readonly FieldPermission[];
    };

/** What the contract says of a method. */
export interface DeclaredMethod {
  /** For example `/sallyport.v1.TokenService/IssueTokens`. */
  readonly path: string;
  /** Of the option `(access)`; undefined when the method carries none. */
  readonly access: { readonly permission: string; readonly public: boolean } | undefined;
}

export type AccessTable = ReadonlyMap<string, AccessRule>;

const PUBLIC: AccessRule = { kind: 'public' };
const PERMISSION = /^[a-z][a-z_]*:[a-z][a-z_]*$/;
const ISSUE: FieldPermission = { field: 'issue', permission: 'tokens:issue' };
const BY_USER: FieldPermission = { field: 'target', member: 'userId', permission: 'users:write' };

/** Further permissions by method. */
export const furtherPermissions: Readonly<Record<string, readonly FieldPermission[]>> = {
  '/sallyport.v1.TokenService/IssueTokens': [{ field: 'proof', member: 'subject', permission: 'tokens:vouch' }],
  '/sallyport.v1.AuthenticationService/Authenticate': [ISSUE],
  '/sallyport.v1.AuthenticationService/VerifyTotp': [
    ISSUE,
    // A step-up issues, too.
    { field: 'target', member: 'accessToken', permission: 'tokens:issue' },
    { field: 'target', member: 'sessionToken', permission: 'tokens:issue' },
  ],
  '/sallyport.v1.AuthenticationService/ChangePassword': [ISSUE],
  // By user id the caller's word stands for the user's own proof.
  '/sallyport.v1.AuthenticationService/EnrollTotp': [BY_USER],
  '/sallyport.v1.AuthenticationService/ConfirmTotp': [BY_USER, ISSUE],
  '/sallyport.v1.AuthenticationService/RemoveTotp': [BY_USER],
  '/sallyport.v1.AuthenticationService/RegenerateRecoveryCodes': [BY_USER],
  '/sallyport.v1.TenantService/UpdateTenant': [{ field: 'disabled', permission: 'tenants:disable' }],
};

/** Methods whose request names no tenant, and the one whose resource their permission is asked on. */
const fixedTenants: Readonly<Record<string, string>> = {
  '/sallyport.v1.TenantService/ListTenants': SYSTEM_TENANT,
};

/** Methods of other people's contracts, which cannot carry our option. */
export const foreignAccess: Readonly<Record<string, DeclaredMethod['access']>> = {
  // Envoy asks whether a request may pass: a decision, about a credential that the request brings.
  '/envoy.service.auth.v3.Authorization/Check': { permission: 'decisions:read', public: false },
};

/** Foreign services and HTTP routes that need no caller: health, discovery and public keys. */
export const publicPaths: readonly string[] = [
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/List',
  '/grpc.health.v1.Health/Watch',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
  // The tenant is in the path; without one it is `default`.
  '/.well-known/jwks.json',
  '/t/{tenant}/.well-known/jwks.json',
  // Where the AuthZEN endpoints are; these themselves go through methods of AuthorizationService.
  '/.well-known/authzen-configuration',
  '/.well-known/authzen-configuration/t/{tenant}',
  '/.well-known/openid-configuration',
  '/t/{tenant}/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/oauth-authorization-server/t/{tenant}',
  '/t/{tenant}/.well-known/oauth-authorization-server',
];

/** Throws, naming every fault, when a method declares nothing usable or a further permission names no method. */
export function buildAccessTable(declared: readonly DeclaredMethod[]): AccessTable {
  const table = new Map<string, AccessRule>(publicPaths.map((path) => [path, PUBLIC]));
  const faults: string[] = [];
  for (const { path, access } of declared) {
    if (table.has(path)) faults.push(`${path} is declared twice`);
    else if (access === undefined) faults.push(`${path} carries no option (access)`);
    else if (access.public && access.permission !== '') faults.push(`${path} is public and names a permission`);
    else if (access.public) table.set(path, PUBLIC);
    else if (!PERMISSION.test(access.permission)) faults.push(`${path} names no permission of the form noun:verb`);
    else {
      const further = furtherPermissions[path] ?? [];
      table.set(path, { kind: 'permission', permission: access.permission, onTenant: fixedTenants[path], further });
    }
  }
  for (const path of Object.keys(furtherPermissions)) {
    if (table.get(path)?.kind !== 'permission') faults.push(`${path} has further permissions and is not a method`);
  }
  if (faults.length > 0) throw new Error(`the access table is incomplete: ${faults.join('; ')}`);
  return table;
}

/** Every permission that this request needs beyond the method's own, in the order of the table. */
export function furtherPermissionsOf(further: readonly FieldPermission[], request: object): readonly string[] {
  if (further.length === 0) return NONE;
  return further.filter((each) => applies(each, request)).map((each) => each.permission);
}

const NONE: readonly string[] = [];

function applies({ field, member }: FieldPermission, request: object): boolean {
  const value: unknown = (request as Readonly<Record<string, unknown>>)[field];
  if (member === undefined) return value !== undefined;
  return typeof value === 'object' && value !== null && 'case' in value && value.case === member;
}
