import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject, Message } from '@bufbuild/protobuf';
import { DomainError } from '../../domain/errors.ts';
import { peerCertificateNames } from '../../platform/certificate-names.ts';
import type { Incoming } from '../rpc-call.ts';
import { type AuthzenRequest, authzenRequest } from './authzen-requests.ts';
import type { AuthzenEndpoint } from './authzen-routes.ts';

/** A call that came as AuthZEN JSON. */
export class AuthzenIncoming implements Incoming {
  /** Set when the request has been decoded. */
  parsed: AuthzenRequest | undefined;
  /** The body's text, or why there is none. */
  body: string | DomainError = '';
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #endpoint: AuthzenEndpoint;
  readonly #tenant: string;

  constructor(request: IncomingMessage, response: ServerResponse, endpoint: AuthzenEndpoint, tenant: string) {
    this.#request = request;
    this.#response = response;
    this.#endpoint = endpoint;
    this.#tenant = tenant;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  peer(): string {
    return this.#request.socket.remoteAddress ?? 'unknown';
  }

  certificateNames(): readonly string[] {
    return peerCertificateNames(this.#request.socket);
  }

  /** HTTP has no header for it: the default applies. */
  deadlineMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** Reads the body into `body`. Resolves when it is complete, too long, or cut off. */
  async read(maxBytes: number): Promise<void> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of this.#request as AsyncIterable<Buffer>) {
        size += chunk.length;
        // Read to its end all the same (the listener bounds the time), or the peer would never see the answer.
        if (size <= maxBytes) chunks.push(chunk);
      }
      this.body = size > maxBytes ? bad(`the body is longer than ${maxBytes} bytes`) : Buffer.concat(chunks).toString();
    } catch {
      this.body = bad('the body was cut off');
    }
  }

  message(): Message {
    if (typeof this.body !== 'string') throw this.body;
    this.parsed = authzenRequest(this.#endpoint, this.#tenant, objectIn(this.body));
    return this.parsed.message;
  }

  prepare(): void {}

  cut(): void {
    this.#request.socket.destroy();
  }

  onCancelled(listener: () => void): void {
    this.#response.once('close', () => {
      if (!this.#response.writableEnded) listener();
    });
  }
}

function objectIn(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad('the body is not JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw bad('the body is not a JSON object');
}

function bad(message: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', message);
}
