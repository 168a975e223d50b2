/** Lets one waiter sleep until something happened, without losing what happened while it was busy. */
export interface Wake {
  ring(): void;
  /** Resolves when it rang since the last wait, or after `ms`. Rejects with the signal's reason. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

export function createWake(): Wake {
  let rang = false;
  let waiter: (() => void) | undefined;
  return {
    ring: () => {
      rang = true;
      waiter?.();
    },
    wait: async (ms, signal) => {
      signal?.throwIfAborted();
      if (!rang) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          waiter = () => {
            clearTimeout(timer);
            resolve();
          };
          signal?.addEventListener('abort', waiter, { once: true });
        });
        if (waiter !== undefined) signal?.removeEventListener('abort', waiter);
        waiter = undefined;
        signal?.throwIfAborted();
      }
      rang = false;
    },
  };
}
