import type { CallContext, ClientDevice } from '../call.ts';
import type { CookieRequest, IssuedCookie, IssuedTokens, TokenRequest } from '../session/use-cases.ts';
import type { Document } from '../storage.ts';
import type { PasswordVerdict } from './judge-password.ts';

// What identity offers to callers. Values in, values out: what happened to the end user is data, never an exception. Longer than other files
// on purpose: it is the domain's side of authentication.proto and user.proto, read in one piece; it holds types alone.

export type IdentifierKind = 'email' | 'phone' | 'username';

export interface Identifier {
  readonly kind: IdentifierKind;
  /** Normalized, letter case kept but in an email's domain; look-ups use the document's keys, which have none. */
  readonly value: string;
  readonly verified: boolean;
}

export interface TotpFactor {
  /** JWE of the 20-byte secret, bound to this user and field. */
  readonly sealedSecret: string;
  /** Epoch ms; absent while the enrollment waits for its first code. */
  readonly confirmedAt?: number | undefined;
  /** Epoch ms at which this secret was made: an enrollment that nobody confirms is over after a while. */
  readonly startedAt: number;
  /** Highest time step that was accepted: it only grows, so that no code works twice. */
  readonly lastStep: number;
}

/** The last code that was accepted, so that a repeat of the very same request after a lost answer is told from a replay. */
export interface UsedCode {
  /** Challenge and calling service that used it. */
  readonly by: string;
  /** Keyed digest of the code. */
  readonly code: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface TokenSlot {
  /** Public half of the token: a key of the document while the token is out. */
  readonly id: string;
  /** SHA-256 of the token. */
  readonly digest: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface VerificationSlot extends TokenSlot {
  /** Key of the identifier that it verifies. */
  readonly key: string;
}

/** A person at an identity provider who is this user. */
export interface FederatedLink {
  readonly issuer: string;
  readonly subject: string;
  /** Epoch ms. */
  readonly createdAt: number;
}

export interface UserDocument extends Document {
  readonly status: 'active' | 'disabled' | 'deleting';
  /** Grows with each password, status or factor change; what carries an older one is refused. */
  readonly epoch: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly identifiers: readonly Identifier[];
  readonly displayName?: string | undefined;
  readonly metadata?: { readonly [key: string]: string } | undefined;
  readonly password?:
    | {
        readonly hash: string;
        readonly changedAt: number;
        readonly mustChange: boolean;
        /** It was guessed at too often (exhaust-password.ts). */
        readonly mustReset?: boolean | undefined;
      }
    | undefined;
  readonly totp?: TotpFactor | undefined;
  /** Keyed digests of unused recovery codes. */
  readonly recoveryCodes: readonly string[];
  readonly usedCode?: UsedCode | undefined;
  /** One-time tokens that are out, one per purpose: a new one replaces the one before. */
  readonly slots?:
    | { readonly reset?: TokenSlot | undefined; readonly verification?: VerificationSlot | undefined }
    | undefined;
  /** By whom else the user is vouched for; each is a unique key of the document. */
  readonly links?: readonly FederatedLink[] | undefined;
  /** Digest of the body of the CreateUser call, so that a retry is told from a reuse of its request id. */
  readonly requestDigest?: string | undefined;
}

export type AuthenticationMethod = 'password' | 'totp' | 'recovery_code' | 'federated';

export interface PerformedMethod {
  readonly method: AuthenticationMethod;
  /** Id of the identity provider, of method `federated`. */
  readonly providerId?: string | undefined;
  /** Epoch ms. */
  readonly at: number;
}

export type RejectionReason =
  | 'INVALID_CREDENTIALS'
  | 'LOCKED'
  | 'CODE_INVALID'
  | 'CODE_ALREADY_USED'
  | 'CHALLENGE_EXPIRED'
  | 'REFRESH_UNKNOWN'
  | 'REFRESH_EXPIRED'
  | 'REFRESH_REUSED'
  | 'SESSION_REVOKED'
  | 'AUDIENCE_NOT_ALLOWED'
  | 'PROOF_INVALID'
  | 'FEDERATION_FAILED'
  | 'RATE_LIMITED';

/** Where a federated login failed; each is described in session.proto. */
export type FederationFailure =
  | 'LOGIN_UNKNOWN'
  | 'ACCESS_DENIED'
  | 'PROVIDER_REFUSED'
  | 'RESPONSE_INVALID'
  | 'PROVIDER_DISABLED'
  | 'NO_ACCOUNT';

export interface Rejection {
  readonly kind: 'rejection';
  readonly reason: RejectionReason;
  /** With FEDERATION_FAILED. */
  readonly failure?: FederationFailure | undefined;
  readonly retryAfterMs?: number | undefined;
}

export interface Challenge {
  readonly kind: 'challenge';
  readonly challengeToken: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly steps: readonly ('totp' | 'recovery_code' | 'enroll_totp' | 'change_password')[];
}

export interface Authenticated {
  readonly kind: 'authenticated';
  readonly userId: string;
  readonly methods: readonly PerformedMethod[];
  /** `at_...`; empty when something was issued. */
  readonly authenticationToken: string;
  /** Epoch ms, of the authentication token; absent when something was issued. */
  readonly expiresAt?: number | undefined;
  readonly issued?: IssuedTokens | IssuedCookie | undefined;
}

export type LoginOutcome = Authenticated | Challenge | Rejection;

/** What a successful login should end in; undefined: an authentication token. */
export type IssueRequest = TokenRequest | CookieRequest;

export interface AuthenticateInput {
  readonly tenant: string;
  readonly identifier: string;
  readonly password: string;
  readonly client: ClientDevice;
  readonly issue?: IssueRequest | undefined;
}

export type VerifyTotpTarget =
  | { readonly kind: 'challenge'; readonly challengeToken: string }
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'access_token'; readonly accessToken: string }
  | { readonly kind: 'session_token'; readonly sessionToken: string };

export interface VerifyTotpInput {
  readonly tenant: string;
  readonly target: VerifyTotpTarget;
  readonly code: { readonly kind: 'totp' | 'recovery_code'; readonly value: string };
  readonly client: ClientDevice;
  readonly issue?: IssueRequest | undefined;
}

export interface CreateUserInput {
  readonly tenant: string;
  readonly identifiers: readonly Identifier[];
  readonly displayName?: string | undefined;
  readonly metadata?: { readonly [key: string]: string } | undefined;
  readonly password?: string | undefined;
  readonly mustChangePassword: boolean;
  /** Lower-case UUID; empty: not repeatable. */
  readonly requestId: string;
  readonly client?: ClientDevice | undefined;
}

/** What is undefined stays as it is. */
export interface UpdateUserInput {
  readonly tenant: string;
  readonly userId: string;
  /** Empty: whatever it is now. */
  readonly etag: string;
  readonly identifiers?: readonly Identifier[] | undefined;
  /** Empty: removed. */
  readonly displayName?: string | undefined;
  readonly metadata?: { readonly [key: string]: string } | undefined;
  readonly disabled?: boolean | undefined;
}

export interface ImportedRow {
  readonly rowKey: string;
  /** Marks as the source has them. */
  readonly identifiers: readonly Identifier[];
  readonly displayName?: string | undefined;
  readonly metadata?: { readonly [key: string]: string } | undefined;
  /** One of the forms of src/crypto/foreign-hash.ts; undefined: no password. */
  readonly passwordHash?: string | undefined;
  readonly mustChangePassword: boolean;
  readonly disabled: boolean;
}

export interface ImportedUser {
  readonly userId: string;
  /** An earlier call made it. */
  readonly already: boolean;
}

export interface UsersPage {
  readonly users: readonly UserDocument[];
  /** Empty: this is the last one. */
  readonly nextPageToken: string;
}

export interface EnrollTotpInput {
  readonly tenant: string;
  readonly target:
    | { readonly kind: 'user'; readonly userId: string }
    | { readonly kind: 'challenge'; readonly challengeToken: string };
  readonly client?: ClientDevice | undefined;
}

/** Whose factor in force changes: on the caller's word, or by an authentication token of the user. */
export interface ChangeFactorInput {
  readonly tenant: string;
  readonly target:
    | { readonly kind: 'user'; readonly userId: string }
    | { readonly kind: 'proof'; readonly token: string };
  readonly client: ClientDevice;
}

export type UserSelector =
  | { readonly kind: 'id'; readonly userId: string }
  /** Email, phone or user name, as a person would type it. */
  | { readonly kind: 'identifier'; readonly identifier: string };

export interface TotpEnrollment {
  readonly kind: 'enrollment';
  /** Base32, no padding. */
  readonly secret: string;
  /** `otpauth://totp/...` for authenticator apps. */
  readonly uri: string;
  /** The same as a QR code: SVG, and text for a terminal. */
  readonly qrSvg: string;
  readonly qrText: string;
  /** For ConfirmTotp, when the enrollment was begun by an authentication token. */
  readonly challengeToken?: string | undefined;
}

export type ConfirmTotpOutcome =
  /** The codes are shown this once. `login` is set when a challenge was carried on by it. */
  | {
      readonly kind: 'confirmed';
      readonly userId: string;
      readonly recoveryCodes: readonly string[];
      readonly login?: LoginOutcome | undefined;
    }
  | Rejection;

export interface CheckPasswordInput {
  readonly tenant: string;
  readonly password: string;
  /** Empty: nobody's yet. */
  readonly userId: string;
  readonly context: readonly string[];
}

export interface ChangePasswordInput {
  readonly tenant: string;
  readonly target:
    | {
        readonly kind: 'user';
        readonly userId: string;
        readonly currentPassword: string;
        /** Undefined: all sessions go on. */
        readonly endSessions?: { readonly but: string /* a session id, or empty */ } | undefined;
      }
    | { readonly kind: 'challenge'; readonly challengeToken: string };
  readonly newPassword: string;
  readonly client: ClientDevice;
  /** Only with a challenge. */
  readonly issue?: IssueRequest | undefined;
}

export type ChangePasswordOutcome = { readonly kind: 'changed'; readonly userId: string } | LoginOutcome;

/** A token to be mailed. */
export interface MailedToken {
  /** The account's own stored address, verified where it must be; empty: send nothing. */
  readonly address: string;
  readonly token: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface ResetPasswordInput {
  readonly tenant: string;
  readonly token: string;
  readonly newPassword: string;
  readonly client?: ClientDevice | undefined;
}

export interface IdentityUseCases {
  authenticate(call: CallContext, input: AuthenticateInput): Promise<LoginOutcome>;
  verifyTotp(call: CallContext, input: VerifyTotpInput): Promise<LoginOutcome>;
  createUser(call: CallContext, input: CreateUserInput): Promise<UserDocument>;
  getUser(call: CallContext, tenant: string, selector: UserSelector): Promise<UserDocument>;
  listUsers(
    call: CallContext,
    tenant: string,
    page: { readonly size: number; readonly token: string },
  ): Promise<UsersPage>;
  /** One row. Throws INVALID_ARGUMENT, IDENTIFIER_TAKEN, REQUEST_ID_REUSED. */
  importUser(call: CallContext, tenant: string, row: ImportedRow): Promise<ImportedUser>;
  updateUser(call: CallContext, input: UpdateUserInput): Promise<UserDocument>;
  /** `etag` empty: whatever it is now. */
  deleteUser(call: CallContext, tenant: string, userId: string, etag: string): Promise<void>;
  setPassword(
    call: CallContext,
    tenant: string,
    userId: string,
    password: string,
    mustChange: boolean,
  ): Promise<UserDocument>;
  /** Throws INVALID_ARGUMENT, USER_NOT_FOUND. */
  checkPassword(call: CallContext, input: CheckPasswordInput): Promise<PasswordVerdict>;
  /** Throws USER_NOT_FOUND, PASSWORD_REJECTED, INVALID_ARGUMENT. */
  changePassword(call: CallContext, input: ChangePasswordInput): Promise<ChangePasswordOutcome>;
  requestPasswordReset(
    call: CallContext,
    tenant: string,
    identifier: string,
    client?: ClientDevice,
  ): Promise<MailedToken>;
  /** Throws PASSWORD_REJECTED, INVALID_ARGUMENT; the token then still works. */
  resetPassword(
    call: CallContext,
    input: ResetPasswordInput,
  ): Promise<{ readonly kind: 'reset'; readonly userId: string } | Rejection>;
  /** Throws USER_NOT_FOUND, and INVALID_ARGUMENT for an address that is none of the account's. */
  requestVerification(
    call: CallContext,
    tenant: string,
    userId: string,
    address: string,
    client?: ClientDevice,
  ): Promise<MailedToken>;
  confirmVerification(
    call: CallContext,
    tenant: string,
    token: string,
    client?: ClientDevice,
  ): Promise<{ readonly kind: 'verified'; readonly user: UserDocument } | Rejection>;
  /** Throws USER_NOT_FOUND, also when the account has no such link. */
  removeLink(
    call: CallContext,
    tenant: string,
    userId: string,
    link: Pick<FederatedLink, 'issuer' | 'subject'>,
  ): Promise<UserDocument>;
  /** Forgets failed logins and codes. */
  unlockUser(call: CallContext, tenant: string, userId: string): Promise<void>;
  /** A challenge that is over is a rejection; a user that has a factor already is FACTOR_ALREADY_ENROLLED. */
  enrollTotp(
    call: CallContext,
    input: EnrollTotpInput | (Omit<EnrollTotpInput, 'target'> & { readonly target: ChangeFactorInput['target'] }),
  ): Promise<TotpEnrollment | Rejection>;
  removeTotp(
    call: CallContext,
    input: ChangeFactorInput,
  ): Promise<{ readonly kind: 'removed'; readonly userId: string } | Rejection>;
  regenerateRecoveryCodes(
    call: CallContext,
    input: ChangeFactorInput,
  ): Promise<{ readonly kind: 'regenerated'; readonly recoveryCodes: readonly string[] } | Rejection>;
  confirmTotp(
    call: CallContext,
    input: EnrollTotpInput & {
      readonly code: string;
      readonly client: ClientDevice;
      /** Only with a challenge. */
      readonly issue?: IssueRequest | undefined;
    },
  ): Promise<ConfirmTotpOutcome>;
}
