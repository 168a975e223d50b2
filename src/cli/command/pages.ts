/** The most that the service gives at once. */
const PAGE = 1000;

export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Everything that a list has, page after page, or the first `limit` of it. */
export async function* pages<T>(
  limit: number | undefined,
  fetchPage: (page: PageRequest) => Promise<{ readonly items: readonly T[]; readonly nextPageToken: string }>,
): AsyncGenerator<T> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  let pageToken = '';
  do {
    const { items, nextPageToken } = await fetchPage({ pageSize: Math.min(PAGE, left), pageToken });
    yield* items.slice(0, left);
    left -= items.length;
    pageToken = nextPageToken;
  } while (pageToken !== '' && left > 0);
}
