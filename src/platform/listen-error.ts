/** A port could not be opened. The message names the setting, so that the operator knows what to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** For example `SALLYPORT_GRPC_ADDRESS`. */
  readonly setting: string;

  constructor(setting: string, address: string, cause: unknown) {
    super(`${setting}: cannot listen on ${address}: ${explanation(cause)}`, { cause });
    this.setting = setting;
  }
}

function explanation(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.includes('EADDRINUSE'))
    return 'the port is in use by another process; choose another one, or 0 for a free one';
  if (text.includes('EACCES')) return 'this user may not open that port; ports below 1024 need a privilege';
  if (text.includes('EADDRNOTAVAIL')) return 'the address belongs to no interface of this machine';
  return text;
}
