import type { Caller } from '../call.ts';
import { formatSubject } from '../subject.ts';
import type { AuthenticateCertificate } from './caller-ports.ts';

/** A name of a certificate and the service of tenant `sallyport` that it stands for. */
export interface CertificateService {
  /** `DNS:orders.internal` or `URI:spiffe://example.org/orders`. */
  readonly name: string;
  /** Id of the service. */
  readonly service: string;
  /** Who the tokens that it obtains may be for; undefined: whoever the tenant allows. */
  readonly audiences?: readonly string[] | undefined;
}

/**
 * Callers by the names of their client certificates. Nothing follows from a certificate that is not mapped: an authority may sign for more
 * than the callers of this service. One with names of two services is neither.
 */
export function createCertificateCallers(mapped: readonly CertificateService[]): AuthenticateCertificate {
  const callers = new Map<string, Caller>(
    mapped.map(({ name, service, audiences }) => {
      const subject = { type: 'service', id: service };
      return [name, { subject, name: formatSubject(subject), credentialId: `certificate ${name}`, audiences }];
    }),
  );
  return (names) => {
    const found = names.map((name) => callers.get(name)).filter((caller) => caller !== undefined);
    const [first] = found;
    if (first === undefined || !found.every((caller) => caller.name === first.name)) return undefined;
    return found.length === 1 ? first : { ...first, audiences: allowedByAll(found) };
  };
}

/** Each name bounds what its certificate is good for; the order of the names in it must not matter. Undefined: none has a bound. */
function allowedByAll(callers: readonly Caller[]): readonly string[] | undefined {
  const bounds = callers.flatMap(({ audiences }) => (audiences === undefined ? [] : [audiences]));
  return bounds.length === 0 ? undefined : bounds.reduce((all, each) => all.filter((one) => each.includes(one)));
}
