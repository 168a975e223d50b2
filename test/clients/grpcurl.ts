import type { ServiceProcess } from '../support/service-process.ts';
import type { JsonAnswer, JsonCall } from './six-calls-by-json.ts';
import { goTool, run } from './tool.ts';

/** Where it is, built on first use. */
export function grpcurlBinary(): Promise<string> {
  return goTool('github.com/fullstorydev/grpcurl/cmd/grpcurl', 'v1.9.3');
}

/** Runs grpcurl in plaintext; what it printed. */
export async function grpcurl(args: readonly string[]): Promise<string> {
  return (await run(await grpcurlBinary(), ['-plaintext', ...args])).stdout;
}

/** Calls by reflection, as a person would at a terminal. */
export function grpcurlCall(service: ServiceProcess): JsonCall {
  const header = `authorization: Bearer ${service.adminKey}`;
  return async (method, request) => {
    const text = await grpcurl(['-H', header, '-d', JSON.stringify(request), service.grpc, `sallyport.v1.${method}`]);
    return JSON.parse(text) as JsonAnswer;
  };
}
