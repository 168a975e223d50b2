import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { settingsMarkdown } from '../../src/settings/settings-text.ts';

// Writes docs/configuration.md from the table of settings: `node tools/docs/configuration.ts`.

/** The whole of docs/configuration.md. */
export function configurationPage(): string {
  return `# Configuration

<!-- Written by tools/docs/configuration.ts from src/settings/settings-table.ts: change it there. -->

Sallyport is configured by environment variables, all optional for a first try: without any, it keeps its state in
\`./data\` and listens on this machine only. \`npm start -- --help\` prints the same list.

- Every wrong setting is reported at once, with the accepted form, and the process ends with exit code 2 before it opens
  anything. A value that may hold a secret is never shown.
- An unknown \`SALLYPORT_\` variable is an error with a suggestion, and so is an empty value: both are mostly mistakes.
  Exempt are \`SALLYPORT_CLIENT_*\` (the client libraries) and the variables that Kubernetes injects for Services
  (\`SALLYPORT_SERVICE_HOST\`, \`SALLYPORT_PORT=tcp://...\`, \`SALLYPORT_PORT_50051_TCP_ADDR\` and so on).
- Files named by a variable (keys, certificates) should be readable by the service's user only.

${settingsMarkdown()}
## Together

- A gRPC or HTTP address that other machines reach needs TLS (\`SALLYPORT_TLS_CERT_FILE\` and \`SALLYPORT_TLS_KEY_FILE\`), or
  \`SALLYPORT_ALLOW_PLAINTEXT=true\` where a mesh or proxy encrypts.
- \`SALLYPORT_TLS_CLIENT_CA_FILE\` needs a certificate of the server's own.
- MongoDB needs a master key: every replica must have the same. Give it by variable or by file, not both.
- An issuer in plain http must be on loopback, unless \`SALLYPORT_ALLOW_PLAINTEXT=true\`.
- Master keys are rotated by putting the new one first and keeping the old one behind it.
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(new URL('../../docs/configuration.md', import.meta.url), configurationPage());
}
