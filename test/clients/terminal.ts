import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ServiceProcess } from '../support/service-process.ts';
import { grpcurl, grpcurlBinary } from './grpcurl.ts';

export type Answer = Record<string, unknown>;
export type Terminal = ReturnType<typeof terminal>;

/** Calls and streams of one service; several requests, and several answers, follow each other. */
export function terminal(service: ServiceProcess) {
  const target = (method: string, requests: readonly object[]) => [
    ...[
      '-H',
      `authorization: Bearer ${service.adminKey}`,
      '-d',
      requests.map((each) => JSON.stringify(each)).join('\n'),
    ],
    ...[service.grpc, `sallyport.v1.${method}`],
  ];
  const stream = async (method: string, ...requests: readonly object[]): Promise<readonly Answer[]> => {
    const text = await grpcurl(target(method, requests));
    return text === '' ? [] : (JSON.parse(`[${text.replaceAll(/^}\n\{/gm, '},\n{')}]`) as Answer[]);
  };
  return {
    stream,
    call: async (method: string, request: object): Promise<Answer> => (await stream(method, request))[0] ?? {},
    /** What it is refused with: `Code: FailedPrecondition`, its message and its details. */
    refused: async (method: string, request: object): Promise<string> => {
      try {
        await grpcurl(target(method, [request]));
      } catch (error) {
        return (error as { stderr: string }).stderr;
      }
      return assert.fail(`${method} was not refused`);
    },
    /** The first `count` messages of a stream that does not end. */
    watch: async (method: string, request: object, count: number): Promise<readonly Answer[]> => {
      const child = spawn(await grpcurlBinary(), ['-plaintext', ...target(method, [request])]);
      let text = '';
      const found: Answer[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        text += line;
        // A message without anything in it is one line.
        if (line !== '}' && line !== '{}') continue;
        found.push(JSON.parse(text) as Answer);
        text = '';
        if (found.length === count) break;
      }
      child.kill();
      return found;
    },
  };
}
