import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

// The layer table (ARCHITECTURE.md) and what Biome makes of it: `node tools/lint/layers.ts` writes the `overrides` of
// biome.json, and test/tooling/layers.test.ts fails when they differ. Biome matches the text of an import, not the file it
// resolves to, so the table is spelled out once per folder depth, and detours such as `./../x` are refused (no-detours.grit).

interface Layer {
  /** A folder or file below src/. */
  readonly path: string;
  /** What it may import besides itself: folders and files below src/, or `gen`. */
  readonly layers: readonly string[];
  /** The layer that this row refines: its folders import each other freely. */
  readonly home?: string;
  /** Packages, besides node's own. */
  readonly packages?: readonly string[];
  /** Node's modules: all but node:sqlite unless listed here. */
  readonly node?: readonly string[];
  /** Reads the machine's clock and random source itself. */
  readonly ambient?: true;
}

const PROTOBUF = ['@bufbuild/protobuf', '@bufbuild/protobuf/**'];
const BELOW_SERVICE = ['platform', 'crypto', 'domain', 'store', 'replication', 'federation', 'rpc', 'http', 'settings'];
const DOMAIN = { layers: ['platform', 'crypto'], node: ['node:crypto'], home: 'domain' };

/** Later rows win over earlier ones: a concept of the domain over the domain. */
export const LAYERS: readonly Layer[] = [
  { path: 'platform', layers: [], packages: ['pino', 'prom-client', 'lru-cache'], ambient: true },
  { path: 'crypto', layers: ['platform'], packages: ['jose', 'argon2', 'bcrypt', '@zxcvbn-ts/**'] },
  { path: 'settings', layers: ['platform'], packages: ['zod'] },
  { path: 'domain', ...DOMAIN },
  { path: 'domain/keys', ...DOMAIN, packages: ['jose'] },
  { path: 'domain/decision', ...DOMAIN, packages: ['@marcbachmann/cel-js', 'yaml'] },
  { path: 'domain/gateway', ...DOMAIN, packages: ['yaml'] },
  { path: 'domain/identity', ...DOMAIN, packages: ['otpauth', 'qrcode', 'rate-limiter-flexible'] },
  { path: 'domain/session', ...DOMAIN, packages: ['cookie'] },
  { path: 'domain/storage.ts', layers: [], node: [] },
  { path: 'replication', layers: ['platform', 'domain'] },
  { path: 'store/sqlite', layers: ['platform', 'domain/storage.ts'], node: ['node:*', 'node:*/**'] },
  { path: 'store/mongo', layers: ['platform', 'domain/storage.ts'], packages: ['mongodb'] },
  { path: 'federation', layers: ['platform', 'domain'], packages: ['openid-client'] },
  { path: 'rpc', layers: ['platform', 'domain', 'gen'], packages: [...PROTOBUF, '@grpc/**', '@connectrpc/**'] },
  { path: 'http', layers: ['platform', 'domain'] },
  { path: 'cli', layers: BELOW_SERVICE, ambient: true },
  {
    path: 'cli/command',
    layers: [...BELOW_SERVICE, 'gen'],
    home: 'cli',
    // A client of the service, by the same generated code as any other.
    packages: ['commander', 'yaml', ...PROTOBUF, '@connectrpc/**'],
    ambient: true,
  },
  { path: 'service', layers: [...BELOW_SERVICE, 'cli'] },
  { path: 'service.ts', layers: [...BELOW_SERVICE, 'cli', 'service'], ambient: true },
  { path: 'main.ts', layers: [...BELOW_SERVICE, 'cli', 'service', 'service.ts'], ambient: true },
];

/** How many folders deep a layer may nest. Files deeper than that may import nothing, which is noticed at once. */
const MAX_NESTING = 3;

const RANDOM_NAMES = '(random.*|getRandomValues|webcrypto|default|\\*)';

type Override = Readonly<Record<string, unknown>>;

/** The `overrides` of biome.json. */
export function layerOverrides(): readonly Override[] {
  const closed = restrict('src/**', [
    {
      group: ['**'],
      message: 'This folder is not in the layer table (tools/lint/layers.ts), so it may import nothing.',
    },
  ]);
  const ambientPaths = LAYERS.filter((layer) => layer.ambient).map(
    ({ path }) => `!src/${path}${isFile(path) ? '' : '/**'}`,
  );
  return [
    closed,
    ...LAYERS.flatMap((layer) => depths(layer).map((depth) => layerOverride(layer, depth))),
    { includes: ['src/**'], plugins: ['./tools/lint/no-detours.grit'] },
    { includes: ['src/**', ...ambientPaths], plugins: ['./tools/lint/no-ambient-time.grit'] },
  ];
}

function layerOverride(layer: Layer, depth: number): Override {
  const inside = isFile(layer.path) ? layer.path : `${layer.path}${'/*'.repeat(depth - foldersOf(layer.path))}/*.ts`;
  const patterns: object[] = [{ group: importGroup(layer, depth), message: messageFor(layer) }];
  if (!layer.ambient) {
    patterns.push({
      group: ['node:crypto'],
      importNamePattern: RANDOM_NAMES,
      message: 'Import by name, and take randomness as a parameter (src/platform/random.ts).',
    });
  }
  return restrict(`src/${inside}`, patterns);
}

/** Gitignore-style: everything is refused, `!` allows again, the last match wins. `depth` is folders between src and the file. */
function importGroup(layer: Layer, depth: number): string[] {
  const root = '../'.repeat(depth) || './';
  const up = isFile(layer.path) ? 0 : depth - foldersOf(layer.home ?? layer.path);
  const outside = '../'.repeat(up + 1);
  const own = isFile(layer.path) ? [] : [...(up > 0 ? ['!../**'] : []), `${outside}**`, '!./**'];
  const node = layer.node ?? ['node:*', 'node:*/**', '!node:sqlite'];
  return [
    '**',
    ...own,
    ...layer.layers.map((target) => {
      if (target === 'gen') return `!../${root}gen/**`;
      return isFile(target) ? `!${root}${target}` : `!${root}${target}/**`;
    }),
    ...node.map((name) => (name.startsWith('!') ? name.slice(1) : `!${name}`)),
    ...(layer.packages ?? []).map((name) => `!${name}`),
  ];
}

/** Folders between src and the layer's files, for each nesting the layer may have. */
function depths(layer: Layer): number[] {
  const own = foldersOf(layer.path);
  return isFile(layer.path) ? [own] : Array.from({ length: MAX_NESTING }, (_, nesting) => own + nesting);
}

function foldersOf(path: string): number {
  return path.split('/').length - (isFile(path) ? 1 : 0);
}

function isFile(path: string): boolean {
  return path.endsWith('.ts');
}

function messageFor(layer: Layer): string {
  const allowed = [...layer.layers, ...(layer.packages ?? [])].join(', ') || 'nothing else';
  return `src/${layer.path} may import itself and: ${allowed} (tools/lint/layers.ts).`;
}

function restrict(includes: string, patterns: readonly object[]): Override {
  const noRestrictedImports = { level: 'error', options: { patterns } };
  return { includes: [includes], linter: { rules: { style: { noRestrictedImports } } } };
}

/** biome.json with its `overrides` replaced, one per line: they are for machines. */
export function withLayers(biomeJson: string): string {
  const lines = layerOverrides().map((override) => `    ${JSON.stringify(override)}`);
  const config = { ...(JSON.parse(biomeJson) as Record<string, unknown>), overrides: '@' };
  return `${JSON.stringify(config, null, 2).replace('"@"', () => `[\n${lines.join(',\n')}\n  ]`)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = new URL('../../biome.json', import.meta.url);
  writeFileSync(file, withLayers(readFileSync(file, 'utf8')));
}
