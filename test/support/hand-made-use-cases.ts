import type { UseCases } from '../../src/rpc/sallyport-services.ts';

/** Use cases for tests of the transport: those given, and an error that names the missing one for every other. */
export function handMadeUseCases(
  given: {
    readonly [K in keyof UseCases]?: Partial<UseCases[K]>;
  },
): UseCases {
  const group = <K extends keyof UseCases>(name: K): UseCases[K] =>
    new Proxy((given[name] ?? {}) as UseCases[K], {
      get: (target, member, receiver) =>
        Reflect.get(target, member, receiver) ??
        (() => {
          throw new Error(`the test gave no use case ${name}.${String(member)}`);
        }),
    });
  return {
    identity: group('identity'),
    federation: group('federation'),
    sessions: group('sessions'),
    keys: group('keys'),
    decisions: group('decisions'),
    tenants: group('tenants'),
    audit: group('audit'),
  };
}
