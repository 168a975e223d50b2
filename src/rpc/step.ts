import type { RpcCall } from './rpc-call.ts';

/** A step of the pipeline works on the call. It answers undefined, or a promise when it must wait; what it throws ends the call. */
export type Step = (call: RpcCall) => undefined | Promise<void>;
