import type { Writable } from 'node:stream';
import { Fault } from '../../platform/faults.ts';
import { untilStopped } from '../until-stopped.ts';

// grpc-js counts waiting messages, not bytes: sixteen large ones would be 64 MiB. This counts the bytes that HTTP/2 flow control has not
// let go yet.

/** Bytes of one stream that may wait for its peer. */
const HIGH_WATER_BYTES = 256 * 1024;

export interface PacedWriter {
  /** Resolves when there is room for the next one. Throws when the peer is gone, and the signal's reason when it aborts. */
  write(bytes: Buffer, signal: AbortSignal): Promise<void>;
}

export function createPacedWriter(stream: Writable): PacedWriter {
  let waiting = 0;
  let gone = false;
  let wake: (() => void) | undefined;
  stream.once('close', () => {
    gone = true;
    wake?.();
  });
  const room = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  return {
    write: async (bytes, signal) => {
      waiting += bytes.length;
      stream.write(bytes, () => {
        waiting -= bytes.length;
        if (waiting < HIGH_WATER_BYTES) wake?.();
      });
      while (waiting >= HIGH_WATER_BYTES && !gone) await untilStopped(signal, room());
      if (gone) throw new Fault('CANCELLED', 'the caller went away');
    },
  };
}
