import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { Repeated } from './setup.ts';

// h2load does not read grpc-status, and an error is answered faster than a decision. So one answer is read by a real client before a
// case and after it, and the service's own counter must have counted every call as OK.

/** The answer as bytes. Rejects with the status when it is not OK. */
export function rawAnswer(address: string, request: Repeated, key: string): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  const pass = (bytes: Buffer): Buffer => bytes;
  return new Promise<Buffer>((resolve, reject) => {
    const message = Buffer.from(request.message);
    client.makeUnaryRequest(request.path, pass, pass, message, metadata, (error, bytes) => {
      if (error !== null) reject(error);
      else resolve(bytes ?? Buffer.alloc(0));
    });
  }).finally(() => client.close());
}

/** Calls of a method that the service has answered with OK. `path` is `/package.Service/Method`. */
export async function answeredOk(opsAddress: string, path: string): Promise<number> {
  const text = await (await fetch(`http://${opsAddress}/metrics`)).text();
  const label = path.slice(path.lastIndexOf('.') + 1);
  const line = text
    .split('\n')
    .find(
      (each) =>
        each.startsWith('sallyport_rpc_duration_seconds_count{') &&
        each.includes(`method="${label}"`) &&
        each.includes('code="OK"'),
    );
  return Number(line?.split(' ').at(-1) ?? 0);
}
