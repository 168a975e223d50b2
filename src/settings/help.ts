import { settingsHelp } from './settings-text.ts';

/** What `sallyport --help` prints. */
export function helpText(): string {
  return `Sallyport: identity and authorization over gRPC.

Usage: sallyport                                    run the service
       sallyport generate admin-key | master-key    print a fresh secret
       sallyport rekey [--count]                    seal everything under the first master key
       sallyport policy apply|diff|export|test ...  policies as files (policy --help)
       sallyport check ...                          ask one question (check --help)
       sallyport --help | --version

Without an argument it starts the service in the foreground; it is ready when a line with the word
"ready" appears. Without settings it keeps its state in ./data and listens on 127.0.0.1 only. Logs
are JSON lines on standard error. SIGTERM or SIGINT drains and ends it.

\`generate\` prints a fresh secret for a file that several replicas share: the first administrator key
(SALLYPORT_BOOTSTRAP_KEY_FILE) or a master key (SALLYPORT_MASTER_KEYS_FILE). It stores nothing.

\`rekey\` seals everything in the store under the first master key and tells how many documents hang
on which; with --count it only tells. On the embedded store the service must be stopped.

Exit codes: 0 ended as asked, 1 failed while running, 2 wrong settings or surroundings.

Settings are environment variables. An unknown SALLYPORT_ variable is an error.

${settingsHelp()}`;
}
