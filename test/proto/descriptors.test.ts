import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contractElements, readContract } from '../support/contract.ts';

// tools/proto compares gen/ with the generators' output byte by byte, but needs them installed. These tests need nothing,
// so that a contract changed without `generate` fails at once.

const root = new URL('../../', import.meta.url);
const contract = readContract();
const ours = [...contract.files].filter((file) => file.proto.package === 'sallyport.v1');

test('the descriptor set holds every file of proto/ and no other file of the package', () => {
  const written = globSync('**/*.proto', { cwd: new URL('proto/', root) }).sort();
  assert.deepEqual(ours.map((file) => `${file.name}.proto`).sort(), written);
});

test('the descriptor set holds what reflection serves besides: health, reflection, error details', () => {
  for (const name of [
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
    'google.rpc.Status',
    'google.rpc.ErrorInfo',
    'google.protobuf.Struct',
  ]) {
    assert.ok(contract.get(name), name);
  }
});

test('every element stands in proto/ on the line, with the number and comment, that the descriptor set has', () => {
  const files = new Map<string, readonly string[]>();
  for (const { file, name, line = 0, number, comment } of contractElements()) {
    const lines = files.get(file) ?? readFileSync(new URL(`proto/${file}`, root), 'utf8').split('\n');
    files.set(file, lines);
    const declared = lines[line] ?? '';
    assert.ok(declared.includes(name.split('.').at(-1) ?? name), `${file}:${line + 1} should declare ${name}`);
    if (number !== undefined) assert.ok(declared.includes(` = ${number};`), `${file}:${line + 1} should be ${number}`);
    const above = comment.trimEnd().split('\n');
    assert.deepEqual(
      lines.slice(line - above.length, line).map((text) => text.trim()),
      above.map((text) => `//${text}`),
      `the comment of ${name} in ${file}`,
    );
  }
});

test('the generated TypeScript has the fields, values and methods of the descriptor set', async () => {
  for (const file of ours) {
    const text = readFileSync(new URL(`gen/${file.name}_pb.ts`, root), 'utf8');
    for (const message of file.messages) {
      assert.ok(text.includes(`export const ${message.name}Schema:`), message.typeName);
      for (const field of message.fields) {
        assert.match(text, new RegExp(`@generated from field: .* ${field.name} = ${field.number}( |;)`), String(field));
      }
    }
    for (const type of file.enums) {
      for (const value of type.values) {
        assert.ok(text.includes(`@generated from enum value: ${value.name} = ${value.number};`), String(value));
      }
    }
    for (const service of file.services) {
      for (const method of service.methods) {
        assert.ok(text.includes(`@generated from rpc ${service.typeName}.${method.name}`), String(method));
      }
    }
  }
});
