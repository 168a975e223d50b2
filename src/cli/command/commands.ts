/** First words that make `sallyport` a client rather than the service. */
export const COMMANDS: ReadonlySet<string> = new Set(['policy', 'check']);
