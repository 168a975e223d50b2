import type { ServiceProcess } from '../support/service-process.ts';
import type { SixCalls } from '../support/six-calls.ts';

/** How the programs in the other languages are told what to call with. */
export function clientEnvironment(service: ServiceProcess, calls: SixCalls): Readonly<Record<string, string>> {
  return {
    ADDRESS: service.grpc,
    KEY: service.adminKey,
    USER_ID: calls.userId,
    IDENTIFIER: calls.identifier,
    PASSWORD: calls.password,
    TOTP_CODE: calls.totpCode,
    API_KEY: calls.apiKey,
  };
}
