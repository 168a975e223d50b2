/** First words that make `sallyport` a client or a tool rather than the service; main answers to the others itself. */
export const COMMANDS: ReadonlySet<string> = new Set([
  'audit',
  'backup',
  'check',
  'completion',
  'grant',
  'jwks',
  'key',
  'policy',
  'profile',
  'restore',
  'session',
  'tenant',
  'user',
]);
