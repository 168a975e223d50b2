import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTestFile } from '../../src/cli/command/test-file.ts';
import { onBothStores } from '../support/both-stores.ts';
import { quietIo } from '../support/command-line.ts';
import { grantJson } from '../support/grant-json.ts';
import { jsonCall } from '../support/json-call.ts';

// The 43 decisions of the AuthZEN interoperability tests (Todo application, Authorization API 1.0), with the policy of
// examples/authzen-todo.

const SUITE = new URL('../../../shared/suites/authzen/todo-decisions-1_0.json', import.meta.url);
const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'authzen-todo');

interface Suite {
  readonly evaluation: readonly { readonly request: object; readonly expected: boolean }[];
  readonly evaluations: readonly { readonly request: object; readonly expected: readonly object[] }[];
}

const io = { ...quietIo(), now: () => 0 };

if (!existsSync(SUITE)) {
  test('the AuthZEN decisions', { skip: 'they are not beside this repository (../shared/suites/authzen)' }, () => {});
} else {
  const suite = JSON.parse(readFileSync(SUITE, 'utf8')) as Suite;
  await onBothStores((onStores) => {
    onStores('all decisions of the Todo application are as the interoperability tests expect them', async (place) => {
      const service = await place.start();
      const yaml = readFileSync(join(EXAMPLE, 'policy.yaml'), 'utf8');
      await jsonCall(service, 'PolicyService/ApplyPolicy', { yaml });
      const given = await readTestFile(io, join(EXAMPLE, 'todo.yaml'));
      const changes = [
        ...given.attributes.map((each) => ({ putAttributes: each })),
        ...given.grants.map((grant) => ({ putGrant: grantJson(grant) })),
      ];
      await jsonCall(service, 'PolicyService/WriteGrants', { changes });
      const ask = async (path: string, request: object): Promise<unknown> => {
        const response = await fetch(`http://${service.http}/access/v1/${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${service.adminKey}`, 'content-type': 'application/json' },
          body: JSON.stringify(request),
        });
        assert.equal(response.status, 200);
        return response.json();
      };
      for (const { request, expected } of suite.evaluation) {
        assert.deepEqual(await ask('evaluation', request), { decision: expected }, JSON.stringify(request));
      }
      for (const { request, expected } of suite.evaluations) {
        assert.deepEqual(await ask('evaluations', request), { evaluations: expected }, JSON.stringify(request));
      }
      assert.equal(suite.evaluation.length + suite.evaluations.length, 43);
    });
  });
}

test('no condition of the example knows anybody by name', async () => {
  const yaml = readFileSync(join(EXAMPLE, 'policy.yaml'), 'utf8');
  const { attributes } = await readTestFile(io, join(EXAMPLE, 'todo.yaml'));
  const named = attributes.flatMap(({ subject, attributes: { name, email } }) => [
    subject.id,
    String(name),
    String(email),
  ]);
  for (const name of named) assert(!yaml.includes(name), name);
});
