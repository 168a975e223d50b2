import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRoutes } from '../../../src/domain/gateway/read-routes.ts';
import { readRequestPath } from '../../../src/domain/gateway/request-path.ts';
import { defaultQuestion, matchRoute, type RouteMatch, type TenantRoutes } from '../../../src/domain/gateway/route.ts';

const TABLE = `
default:
  origins: [https://shop.example.com]
  audience: orders
  routes:
    - {methods: [GET], path: /health, public: true}
    - {methods: [GET, HEAD], path: "/documents/{id}", permission: documents:read, resource: "document:{id}"}
    - {methods: [DELETE], path: "/documents/{id}", hosts: [admin.example.com], permission: documents:delete, resource: "document:{id}"}
    - {methods: [POST], path: /documents, headers: {x-kind: draft}, permission: documents:draft}
    - {methods: [POST], path: /documents, permission: documents:create}
    - {methods: [GET], path: "/p/{project}/files/{file}", permission: files:read, resource: "file:{project}/{file}"}
    - {methods: [GET], path: /mine, permission: files:list, resource: "project:{header.x-project}"}
    - {methods: ["*"], path: /admin/**, permission: admin:all}
acme:
  routes: []
`;

function tablesOf(text: string): ReadonlyMap<string, TenantRoutes> {
  const read = readRoutes(text);
  if ('faults' in read) assert.fail(read.faults.join('\n'));
  return read;
}

const { routes = [] } = tablesOf(TABLE).get('default') ?? {};

function ask(method: string, target: string, headers: Record<string, string> = {}, host = 'example.com') {
  const read = readRequestPath(target);
  if (read.kind === 'refused') return 'refused';
  const header = (name: string): string | undefined => headers[name];
  return shown(matchRoute(routes, { method, host, path: read.text, segments: read.segments, header }));
}

function shown(match: RouteMatch | undefined): string {
  if (match === undefined) return 'none';
  if (match.kind === 'public') return 'public';
  return [
    match.permission,
    ...(match.resource === undefined ? [] : [`${match.resource.type}:${match.resource.id}`]),
  ].join(' ');
}

test('the first route that fits says what is asked', () => {
  assert.equal(ask('GET', '/health?x=1'), 'public');
  assert.equal(ask('GET', '/documents/42'), 'documents:read document:42');
  assert.equal(ask('HEAD', '/documents/a%20b'), 'documents:read document:a b');
  assert.equal(ask('POST', '/documents', { 'x-kind': 'draft' }), 'documents:draft');
  assert.equal(ask('POST', '/documents', { 'x-kind': 'Draft' }), 'documents:create');
  assert.equal(ask('GET', '/p/7/files/a.txt'), 'files:read file:7/a.txt');
  assert.equal(ask('GET', '/mine', { 'x-project': '7' }), 'files:list project:7');
  assert.equal(ask('PURGE', '/admin/a/b/'), 'admin:all');
  assert.equal(ask('DELETE', '/documents/42', {}, 'Admin.Example.Com.:8443'), 'documents:delete document:42');
});

test('what no route fits exactly is nobody’s: case, slashes, methods and hosts count', () => {
  for (const [method, target, headers = {}, host] of [
    ['get', '/documents/42'],
    ['Get', '/documents/42'],
    ['GET ', '/documents/42'],
    ['PUT', '/documents/42'],
    ['GET', '/documents/42/'],
    ['GET', '/documents/'],
    ['GET', '/Documents/42'],
    ['GET', '/documents'],
    ['GET', '/documents/42/pages'],
    ['GET', '/HEALTH'],
    ['GET', '/health/'],
    ['GET', '/admin'],
    ['GET', '/'],
    ['GET', '/mine'],
    ['GET', '/mine', { 'x-project': '' }],
    ['DELETE', '/documents/42', {}, 'evil-admin.example.com'],
    ['DELETE', '/documents/42', {}, 'admin.example.com.evil.com'],
    ['DELETE', '/documents/42', {}, ''],
  ] as const) {
    assert.equal(ask(method, target, headers, host), 'none', `${method} ${target} ${host ?? ''}`);
  }
});

test('a tenant has its own routes and settings; without a table, method and path are the question', () => {
  const tables = tablesOf(TABLE);
  assert.deepEqual(tables.get('acme'), { origins: [], cookie: '__Host-session', audience: '', routes: [] });
  assert.equal(tables.get('default')?.audience, 'orders');
  const given = { host: '', path: '/a/b', segments: ['a', 'b'], header: () => undefined };
  assert.equal(shown(defaultQuestion({ ...given, method: 'DELETE' })), 'http:delete path:/a/b');
  for (const method of ['delete', 'CONNECT', 'PROPFIND', ''])
    assert.equal(defaultQuestion({ ...given, method }), undefined);
});

test('a table with any fault is refused, each fault with its place', () => {
  const route = '{methods: [GET], path: /a, permission: "a:b"}';
  for (const [text, fault] of [
    ['', /must be a map/],
    ['{', /line 1/],
    ['Default: {routes: []}', /line 1, column 10: Default the tenant/],
    ['default: {routs: []}', /routs is not known here/],
    ['default: {routes: {}}', /must be a list/],
    ['default: {routes: [1]}', /must be a map/],
    ['a: &x {routes: []}\nb: *x', /line 2, column 4: an alias/],
    [`default: {cookie: "a b", routes: [${route}]}`, /no cookie name/],
    [`default: {origins: ["https://a.example/"], routes: [${route}]}`, /an origin/],
    ['default: {routes: [{path: /a, permission: "a:b"}]}', /methods is required/],
    ['default: {routes: [{methods: [get], path: /a, permission: "a:b"}]}', /a method in upper case/],
    ['default: {routes: [{methods: [], path: /a, permission: "a:b"}]}', /a method in upper case/],
    ['default: {routes: [{methods: [GET], path: a, permission: "a:b"}]}', /must be a path/],
    ['default: {routes: [{methods: [GET], path: /a//b, permission: "a:b"}]}', /empty segment/],
    ['default: {routes: [{methods: [GET], path: /a/../b, permission: "a:b"}]}', /dot segment/],
    ['default: {routes: [{methods: [GET], path: /a/**/b, permission: "a:b"}]}', /must be the last/],
    ['default: {routes: [{methods: [GET], path: /a*, permission: "a:b"}]}', /a segment is a text/],
    ['default: {routes: [{methods: [GET], path: "/{a}/{a}", permission: "a:b"}]}', /a name of its own/],
    ['default: {routes: [{methods: [GET], path: /a}]}', /either a permission or/],
    ['default: {routes: [{methods: [GET], path: /a, public: yes, permission: "a:b"}]}', /true or false/],
    ['default: {routes: [{methods: [GET], path: /a, public: true, permission: "a:b"}]}', /either a permission or/],
    ['default: {routes: [{methods: [GET], path: /a, public: true, resource: "a:b"}]}', /either a permission or/],
    ['default: {routes: [{methods: [GET], path: /a, permission: "a:*"}]}', /must not contain/],
    ['default: {routes: [{methods: [GET], path: /a, permission: "a:b", resource: "x"}]}', /must be `type:id`/],
    ['default: {routes: [{methods: [GET], path: /a, permission: "a:b", resource: "x:{id}"}]}', /neither in the path/],
    ['default: {routes: [{methods: [GET], hosts: ["A.example"], path: /a, permission: "a:b"}]}', /a host name/],
    ['default: {routes: [{methods: [GET], headers: {X-A: b}, path: /a, permission: "a:b"}]}', /a header name/],
    [`default: {routes: [${route}, ${route}]}`, /routes\[1\] is never reached: routes\[0\] takes it all/],
    [
      'default: {routes: [{methods: ["*"], path: /a/**, public: true}, {methods: [GET], path: "/a/{b}", permission: "a:b"}]}',
      /never reached/,
    ],
  ] as const) {
    const read = readRoutes(text);
    assert.ok('faults' in read, text);
    assert.match(read.faults.join('\n'), fault, text);
  }
});
