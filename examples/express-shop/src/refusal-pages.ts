import { asRefusal } from '@sallyport/client/express';
import type { ErrorRequestHandler } from 'express';
import { loginMain, type Question, refusedMain } from './mains.ts';
import { sendPage } from './page.ts';

/** Refusals as pages for people; programs get those of `errors()`, which comes next. */
export const refusalPages: ErrorRequestHandler = (error, request, response, next) => {
  const refusal = asRefusal(error);
  if (refusal === undefined || response.headersSent || request.accepts(['json', 'html']) !== 'html') return next(error);
  response.set(refusal.headers);
  const { status, message } = refusal;
  if (request.method === 'POST' && request.path.startsWith('/login')) {
    return sendPage(response, 'Log in', loginMain(message), status);
  }
  if (status === 401 && request.method === 'GET') return response.redirect(303, '/login');
  const question = refusal.code === 'forbidden' ? (response.locals['question'] as Question | undefined) : undefined;
  sendPage(response, status >= 500 ? 'Not now' : 'Not permitted', refusedMain(message, question), status);
};
