import type { Socket } from 'node:net';
import type { Message } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import { peerCertificateNames } from '../../platform/certificate-names.ts';
import type { Incoming } from '../rpc-call.ts';

/** A call that came over Connect or gRPC-Web. */
export class ConnectIncoming implements Incoming {
  /** Set when the body has been read and decoded. */
  request: Message | undefined;
  readonly #context: HandlerContext;
  readonly #socket: Socket | undefined;

  /** `socket` undefined: not known. */
  constructor(context: HandlerContext, socket: Socket | undefined) {
    this.#context = context;
    this.#socket = socket;
  }

  header(name: string): string | undefined {
    return this.#context.requestHeader.get(name) ?? undefined;
  }

  peer(): string {
    return this.#socket?.remoteAddress ?? 'unknown';
  }

  certificateNames(): readonly string[] {
    return peerCertificateNames(this.#socket);
  }

  deadlineMs(): number {
    return this.#context.timeoutMs() ?? Number.POSITIVE_INFINITY;
  }

  message(): Message {
    if (this.request === undefined) throw new Error('the body has not been decoded');
    return this.request;
  }

  /** connect-node encodes: JSON or binary, as the request was. */
  prepare(): void {}

  /** HTTP/1.1 has no other way to end a response that nobody reads. */
  cut(): void {
    this.#socket?.destroy();
  }

  onCancelled(listener: () => void): void {
    const { signal } = this.#context;
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
  }
}
