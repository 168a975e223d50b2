// A mistyped SALLYPORT_ variable must not be ignored: SALLYPORT_TLS_CERT instead of SALLYPORT_TLS_CERT_FILE would serve plaintext.

const PREFIX = 'SALLYPORT_';

/** Settings of the client libraries, which often run beside the service with the same environment. */
const CLIENT_PREFIX = 'SALLYPORT_CLIENT_';

/**
 * What Kubernetes injects into every pod for a Service named `sallyport` or `sallyport-<more>`: docker-link variables
 * (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
 */
const KUBERNETES_NAME =
  /^SALLYPORT(?:_[A-Z0-9_]+)?_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d{1,5}_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;

/** `..._PORT` is taken for a Service's only when it holds an address as Kubernetes writes it, not when it holds a number. */
const KUBERNETES_PORT_NAME = /^SALLYPORT(?:_[A-Z0-9_]+)?_PORT$/;
const KUBERNETES_PORT_VALUE = /^(?:tcp|udp|sctp):\/\//;

/** A suggestion must be this much alike: edits per character of the name. */
const MAX_EDIT_SHARE = 0.34;

/** Shorter than this says too little to guess from. */
const MIN_NAME_LENGTH = 3;

/** Names of variables that look like settings and are none. */
export function unknownVariables(env: NodeJS.ProcessEnv, known: ReadonlySet<string>): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.has(name) && !name.startsWith(CLIENT_PREFIX))
    .filter((name) => !isFromKubernetes(name, env[name] ?? ''))
    .sort();
}

function isFromKubernetes(name: string, value: string): boolean {
  return KUBERNETES_NAME.test(name) || (KUBERNETES_PORT_NAME.test(name) && KUBERNETES_PORT_VALUE.test(value));
}

/** The known name that was probably meant, or undefined. */
export function closestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.slice(PREFIX.length, PREFIX.length + 60);
  if (wanted.length < MIN_NAME_LENGTH) return undefined;
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const plain = candidate.slice(PREFIX.length);
    const distance = plain.startsWith(wanted) || wanted.startsWith(plain) ? 1 : editDistance(wanted, plain);
    const near = distance <= Math.max(1, Math.floor(plain.length * MAX_EDIT_SHARE));
    if (near && (best === undefined || distance < best.distance)) best = { name: candidate, distance };
  }
  return best?.name;
}

/** Insertions, deletions, replacements and swaps of neighbours between two short texts. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(beforePrevious, j - 2) + 1 : replaced;
      row.push(Math.min(at(previous, j) + 1, at(row, j - 1) + 1, replaced, swapped));
    }
    beforePrevious = previous;
    previous = row;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
