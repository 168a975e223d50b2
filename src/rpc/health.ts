// Which services are serving: what grpc.health.v1 tells, and readiness asks.

export type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

export interface Health {
  /** Sets one service, or with '' the server as a whole; watchers hear of a change at once. */
  set(service: string, serving: boolean): void;
  /** Sets every service and the server. */
  setAll(serving: boolean): void;
  status(service: string): ServingStatus;
  /** Every service with its status; '' is the server. */
  list(): ReadonlyMap<string, ServingStatus>;
  /** Calls `listener` now and at each change. Returns what ends it; undefined when too many watch already. */
  watch(service: string, listener: (status: ServingStatus) => void): (() => void) | undefined;
}

/** Watches are long-lived streams: this many, then RESOURCE_EXHAUSTED. */
const MAX_WATCHERS = 1000;

/** Everything begins NOT_SERVING. `services` are full names, for example `sallyport.v1.UserService`. */
export function createHealth(services: readonly string[]): Health {
  const statuses = new Map<string, ServingStatus>(['', ...services].map((service) => [service, 'NOT_SERVING']));
  const watchers = new Set<{ readonly service: string; readonly listener: (status: ServingStatus) => void }>();
  const status = (service: string): ServingStatus => statuses.get(service) ?? 'SERVICE_UNKNOWN';
  const set = (service: string, serving: boolean): void => {
    const next = serving ? 'SERVING' : 'NOT_SERVING';
    if (status(service) === next || !statuses.has(service)) return;
    statuses.set(service, next);
    for (const watcher of watchers) if (watcher.service === service) watcher.listener(next);
  };
  return {
    set,
    setAll: (serving) => {
      for (const service of statuses.keys()) set(service, serving);
    },
    status,
    list: () => statuses,
    watch: (service, listener) => {
      if (watchers.size >= MAX_WATCHERS) return undefined;
      const watcher = { service, listener };
      watchers.add(watcher);
      listener(status(service));
      return () => void watchers.delete(watcher);
    },
  };
}
