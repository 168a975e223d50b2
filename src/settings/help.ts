import { settingsHelp } from './settings-text.ts';

/** What `sallyport --help` prints. */
export function helpText(): string {
  return `Sallyport: identity and authorization over gRPC.

Usage: sallyport [serve]                            run the service
       sallyport <command> ...                      ask and manage a service (<command> --help)
       sallyport generate admin-key | master-key    print a fresh secret
       sallyport rekey [--count]                    seal everything under the first master key
       sallyport --help | --version

Commands that call a service: user, key, grant, policy, check, session, audit, jwks, tenant,
provider. On the store itself: backup, restore, export, import, doctor, admin recover. Beside them:
profile, completion. docs/command.md tells all of it.

Without an argument it starts the service in the foreground; it is ready when a line with the word
"ready" appears. Without settings it keeps its state in ./data and listens on 127.0.0.1 only. Logs
are JSON lines on standard error. SIGTERM or SIGINT drains and ends it.

\`generate\` prints a fresh secret for a file that several replicas share: the first administrator key
(SALLYPORT_BOOTSTRAP_KEY_FILE) or a master key (SALLYPORT_MASTER_KEYS_FILE). It stores nothing.

\`rekey\` seals everything in the store under the first master key and tells how many documents hang
on which; with --count it only tells. On the embedded store the service must be stopped.

Exit codes of the service: 0 ended as asked, 1 failed while running, 2 wrong settings or
surroundings. Of commands: 0 yes or done, 1 no, 2 wrong arguments or surroundings, 3 unreachable,
4 the key is unknown or lacks the right, 5 refused by the service.

Settings are environment variables. An unknown SALLYPORT_ variable is an error.

${settingsHelp()}`;
}
