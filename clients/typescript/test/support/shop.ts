import { createServer } from 'node:http';
import express from 'express';
import { UserService } from '../../gen/v1.js';
import { guard } from '../../src/express.ts';
import type { Sallyport } from '../../src/sallyport.ts';
import { serve } from './http.ts';

// The application of the README: what a user of the guards writes.

/** What got past the guards, newest last: `DELETE /users/7 by user:x`. */
export type Passed = string[];

/** Starts the application; gives its origin and what passes. */
export async function startShop(
  sallyport: Sallyport,
  options: Parameters<typeof guard>[1] = {},
): Promise<{ readonly origin: string; readonly passed: Passed }> {
  const { login, verifyTotp, logout, authenticate, requirePermission, csrf, errors, can, explain } = guard(
    sallyport,
    options,
  );
  const passed: Passed = [];
  const app = express();
  app.use(express.urlencoded());
  app.post('/login', login());
  app.post('/login/code', verifyTotp());
  app.get('/home', authenticate({ optional: true }), csrf(), (req, res) => {
    res.json({ user: req.principal?.subject.id ?? null });
  });
  app.post('/basket', authenticate({ optional: true }), csrf(), (_req, res) => {
    res.json({ basket: true });
  });
  app.use(authenticate(), csrf());
  app.get('/me', (req, res) => {
    res.json({ principal: req.principal, csrfToken: res.locals['csrfToken'] });
  });
  app.post('/orders', (_req, res) => {
    res.json({ ordered: true, csrfToken: res.locals['csrfToken'] });
  });
  app.delete(
    '/users/:id',
    requirePermission('users:delete', (req) => ({ type: 'user', id: req.params.id })),
    (req, res) => {
      passed.push(`${req.method} ${req.path} by ${req.principal?.subject.id ?? 'nobody'}`);
      res.json({ deleted: req.params.id });
    },
  );
  app.get('/reports', requirePermission('reports:read'), (_req, res) => {
    res.json({ reports: [] });
  });
  app.get('/buttons', async (req, res) => {
    const permissions = ['reports:read', 'users:delete', 'orders:write'];
    res.json({ may: await Promise.all(permissions.map((permission) => can(req, permission))) });
  });
  app.get('/why', async (req, res) => {
    res.json(await explain(req, 'users:delete', { type: 'user', id: '7' }));
  });
  app.get(
    '/broken',
    requirePermission('users:delete', () => ({ type: 'user', id: undefined })),
    (_req, res) => {
      passed.push('broken');
      res.json({});
    },
  );
  app.get('/profile', async (req, res) => {
    const { user } = await sallyport.client(UserService).getUser({
      selector: { case: 'userId', value: req.principal?.subject.id ?? '' },
    });
    res.json({ user: user?.id });
  });
  app.post('/logout', logout());
  app.use(errors());
  return { origin: await serve(createServer(app)), passed };
}
