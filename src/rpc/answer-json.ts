import type { ServerResponse } from 'node:http';

/** Answers with `body` as JSON, not to be kept by caches unless `headers` say so; to a HEAD request with the headers alone. */
export function answerJson(
  response: ServerResponse,
  statusCode: number,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(statusCode, {
    'cache-control': 'no-store',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
