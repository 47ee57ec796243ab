// A load generator: so many connections send prepared bodies for so long.

export interface LoadResult {
  requests: number;
  seconds: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  refused: number;
}

/** Sends until the time is over; `body` gives the next one. Throws when most are refused. */
export async function load(
  url: string,
  options: {
    connections: number;
    seconds: number;
    eventsPerRequest: number;
    headers: Record<string, string>;
    /** Status of an answer that says "on disk". */
    accepted?: number;
    body(): string | Uint8Array;
  },
): Promise<LoadResult> {
  const times: number[] = [];
  let refused = 0;
  const started = performance.now();
  const end = started + options.seconds * 1000;
  const connection = async () => {
    while (performance.now() < end) {
      const body = options.body();
      const sent = performance.now();
      const response = await fetch(url, {
        method: "POST",
        headers: options.headers,
        body: body as string,
      });
      await response.arrayBuffer();
      if (response.status === (options.accepted ?? 202)) times.push(performance.now() - sent);
      else refused++;
    }
  };
  await Promise.all(Array.from({ length: options.connections }, connection));
  const seconds = (performance.now() - started) / 1000;
  if (refused > times.length) throw new Error(`${refused} of ${refused + times.length} refused`);
  times.sort((a, b) => a - b);
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))]!;
  return {
    requests: times.length,
    seconds,
    perSecond: times.length * options.eventsPerRequest / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    refused,
  };
}
