import { fromBinary, type Message } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';
import { certificateNames } from '../../platform/certificate-names.ts';
import type { Clock } from '../../platform/clock.ts';
import { encodeMessage } from '../encode-message.ts';
import { malformed } from '../malformed.ts';
import type { RpcMethod } from '../method.ts';
import type { Incoming } from '../rpc-call.ts';
import { tooLong } from '../too-long.ts';
import { asBuffer } from './grpc-error.ts';

/**
 * What a call of grpc-js has of whatever kind. Bytes in, bytes out: grpc-js answers INTERNAL when a decoder throws, so ours runs inside the
 * pipeline, after authentication.
 */
export interface RawCall {
  readonly metadata: Metadata;
  getPeer(): string;
  /** Only tells of a certificate that was verified. */
  getAuthContext(): { readonly sslPeerCertificate?: { readonly subjectaltname?: string | undefined } | undefined };
  getDeadline(): Date | number;
  once(event: 'cancelled', listener: () => void): unknown;
  /** Of a call with one request. */
  readonly request?: Buffer;
}

export class GrpcIncoming implements Incoming {
  /** The encoded response. */
  bytes: Buffer | undefined;
  readonly #call: RawCall;
  readonly #method: RpcMethod;
  readonly #clock: Clock;

  constructor(call: RawCall, method: RpcMethod, clock: Clock) {
    this.#call = call;
    this.#method = method;
    this.#clock = clock;
  }

  header(name: string): string | undefined {
    const value = this.#call.metadata.get(name)[0];
    return typeof value === 'string' ? value : undefined;
  }

  peer(): string {
    return peerAddress(this.#call.getPeer());
  }

  certificateNames(): readonly string[] {
    return certificateNames(this.#call.getAuthContext().sslPeerCertificate?.subjectaltname);
  }

  deadlineMs(): number {
    const deadline = this.#call.getDeadline();
    if (deadline === Number.POSITIVE_INFINITY) return deadline;
    // grpc-js turns the timeout header into a wall-clock time.
    return Number(deadline) - this.#clock.wall();
  }

  message(): Message {
    if (this.#call.request === undefined) throw new Error(`${this.#method.path} has no single request`);
    return this.decode(this.#call.request);
  }

  /** Throws INVALID_ARGUMENT, and LIMIT_EXCEEDED for more bytes than the method reads. */
  decode(bytes: Buffer): Message {
    const { maxRequestBytes } = this.#method;
    if (bytes.length > maxRequestBytes) throw tooLong(maxRequestBytes);
    try {
      return fromBinary(this.#method.input, bytes);
    } catch {
      throw malformed(this.#method.input);
    }
  }

  prepare(response: Message): void {
    this.bytes = asBuffer(encodeMessage(this.#method.output, response));
  }

  onCancelled(listener: () => void): void {
    this.#call.once('cancelled', listener);
  }
}

/** `127.0.0.1:4711` and `::1:4711` as grpc-js tells them, without the port. */
export function peerAddress(peer: string): string {
  const colon = peer.lastIndexOf(':');
  return colon === -1 ? peer : peer.slice(0, colon);
}
