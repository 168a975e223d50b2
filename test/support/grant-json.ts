import type { Grant } from '../../src/domain/decision/use-cases.ts';

/** A grant in the JSON form of the contract, without its id. */
export function grantJson({ subject, what, resource, effect, condition, expiresAt }: Grant): object {
  return {
    subject,
    ...(what.kind === 'role' ? { role: what.role } : { permission: what.permission }),
    resource,
    effect: effect === 'allow' ? 'EFFECT_ALLOW' : 'EFFECT_DENY',
    condition,
    ...(expiresAt === undefined ? {} : { expireTime: new Date(expiresAt).toISOString() }),
  };
}
