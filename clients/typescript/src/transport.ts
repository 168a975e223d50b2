import { type ChannelCredentials, Client, credentials } from '@grpc/grpc-js';
import type { ResolvedOptions } from './client-options.ts';
import { serviceConfig } from './retried-methods.ts';

/** One channel to all replicas, with the options that docs/clients.md advises. Connects on first use. */
export function openChannel(options: ResolvedOptions): Client {
  return new Client(options.target.uri, credentialsOf(options), {
    'grpc.service_config': serviceConfig(),
    // What DNS says about retries is not ours to follow.
    'grpc.service_config_disable_resolution': 1,
    // A replica that went away without a word is noticed after 40 s at the latest, also between calls. The server pings every 60 s.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 1,
    // grpc-js would wait up to two minutes before it tries a server again that had been away for long.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    // New replicas behind a name are found this soon after one was lost.
    'grpc.dns_min_time_between_resolutions_ms': 2000,
    // Sallyport is inside the network: keys are not shown to a proxy that some variable of the environment names.
    'grpc.enable_http_proxy': 0,
    // Exports come in messages larger than requests may be.
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
    'grpc.enable_channelz': 0,
    ...(options.tls?.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': options.tls.serverName }),
  });
}

function credentialsOf({ tls }: ResolvedOptions): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const bytes = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  return credentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.cert));
}
