import type { ServiceProcess } from './service-process.ts';

/** One RPC as Connect JSON on the HTTP port, as `curl` would send it. `method` is without the package. Throws for an error, with its body. */
export async function jsonCall(
  service: Pick<ServiceProcess, 'http' | 'adminKey'>,
  method: string,
  request: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(`http://${service.http}/sallyport.v1.${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method}: ${response.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}
