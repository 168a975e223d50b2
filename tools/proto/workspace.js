// Where things are, and how buf is run. The service's own protos are in proto/; those of other people that gen/ and
// reflection need (google.rpc, grpc.health, grpc.reflection, Envoy's authorization service) come from pinned npm packages and are never copied into the
// repository: they are laid out under node_modules by the paths that their packages demand.
//
// Plain JavaScript on purpose: it runs on whatever Node is there, without the root's packages.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, '..', '..');

/** The file of the last release that the `breaking` check compares with. */
export const releasedImage = join(here, 'released.binpb');

const thirdPartyDir = 'tools/proto/node_modules/.third-party';
/** Everything that the authorization service of Envoy imports, by the folder of the package that has it. */
const envoy = {
  'envoy-api': [
    'envoy/annotations/deprecation.proto',
    'envoy/config/core/v3/address.proto',
    'envoy/config/core/v3/backoff.proto',
    'envoy/config/core/v3/base.proto',
    'envoy/config/core/v3/extension.proto',
    'envoy/config/core/v3/http_uri.proto',
    'envoy/config/core/v3/socket_option.proto',
    'envoy/service/auth/v3/attribute_context.proto',
    'envoy/service/auth/v3/external_auth.proto',
    'envoy/type/v3/http_status.proto',
    'envoy/type/v3/percent.proto',
    'envoy/type/v3/semantic_version.proto',
  ],
  xds: [
    'udpa/annotations/migrate.proto',
    'udpa/annotations/status.proto',
    'udpa/annotations/versioning.proto',
    'xds/annotations/v3/status.proto',
    'xds/core/v3/context_params.proto',
  ],
  'protoc-gen-validate': ['validate/validate.proto'],
};

const thirdParty = [
  { package: 'google-proto-files', from: 'google/rpc/error_details.proto', to: 'google/rpc/error_details.proto' },
  { package: 'google-proto-files', from: 'google/rpc/status.proto', to: 'google/rpc/status.proto' },
  { package: 'grpc-health-check', from: 'proto/health/v1/health.proto', to: 'grpc/health/v1/health.proto' },
  ...['v1', 'v1alpha'].map((version) => ({
    package: '@grpc/reflection',
    from: `build/proto/grpc/reflection/${version}/reflection.proto`,
    to: `grpc/reflection/${version}/reflection.proto`,
  })),
  ...Object.entries(envoy).flatMap(([folder, files]) =>
    files.map((to) => ({ package: '@grpc/grpc-js-xds', from: `deps/${folder}/${to}`, to })),
  ),
];

/** Lays out the protos of other packages and returns a buf configuration (as JSON) of them and ours together. */
export function workspaceConfig() {
  const target = join(root, thirdPartyDir);
  rmSync(target, { recursive: true, force: true });
  for (const file of thirdParty) {
    const to = join(target, file.to);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(here, 'node_modules', file.package, file.from), to);
  }
  return JSON.stringify({ version: 'v2', modules: [{ path: 'proto' }, { path: thirdPartyDir }] });
}

/** Runs buf in the repository's root. Returns its exit status; its output goes to ours. */
export function buf(args) {
  const bin = createRequire(import.meta.url).resolve('@bufbuild/buf/bin/buf');
  const path = `${join(here, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`;
  const result = spawnSync(process.execPath, [bin, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: path },
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}
