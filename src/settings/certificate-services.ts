import { z } from 'zod';
import type { Form } from './forms.ts';

/** A name of a client certificate and the service that it stands for. */
export interface CertificateServiceSetting {
  readonly name: string;
  readonly service: string;
  /** Who tokens of the service may be for; undefined: whoever the tenant allows. */
  readonly audiences: readonly string[] | undefined;
}

const MAX_PAIRS = 1000;
const ACCEPTS =
  '`DNS:NAME=SERVICE` or `URI:NAME=SERVICE`, each with allowed audiences behind spaces or none, several separated by commas';
/** The service begins after the last `=`, because a URI may hold one. */
const PAIR =
  /^(DNS:[A-Za-z0-9*._-]{1,253}|URI:[^\s,"\p{C}]{1,2048})=([^\s,=\p{C}]{1,320})((?: +[^\s,=\p{C}]{1,256}){0,100})$/u;

/** Which service of tenant `sallyport` a client certificate stands for, by its subject alternative names. */
export const certificateServices: Form<readonly CertificateServiceSetting[]> = {
  accepts: ACCEPTS,
  schema: z.string().transform((text, context) => {
    const pairs = text.split(',').map((pair) => parsePair(pair.trim()));
    const wrong = pairs.indexOf(undefined);
    const known = pairs.filter((pair) => pair !== undefined);
    const isRepeated = new Set(known.map(({ name }) => name)).size < known.length;
    if (wrong < 0 && !isRepeated && known.length <= MAX_PAIRS) return known;
    const message =
      wrong >= 0
        ? `has a pair that is none (number ${wrong + 1})`
        : isRepeated
          ? 'names one certificate twice'
          : `has more than ${MAX_PAIRS} pairs`;
    context.issues.push({ code: 'custom', message, input: '' });
    return z.NEVER;
  }),
};

function parsePair(text: string): CertificateServiceSetting | undefined {
  const [, name, service, more = ''] = PAIR.exec(text) ?? [];
  // A wildcard would let every host of a domain be one caller; write the hosts.
  if (name === undefined || service === undefined || name.includes('*')) return undefined;
  const audiences = more === '' ? undefined : more.trim().split(/ +/);
  return {
    name: name.startsWith('DNS:') ? `DNS:${name.slice('DNS:'.length).toLowerCase()}` : name,
    service,
    audiences,
  };
}
