// Every bound of the SDK: what it holds, what it sends at once, how long it tries.
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** A batch leaves when it has this many events, this many bytes, or is this old. */
  batchEventsMax: 100,
  batchBytesMax: 512 * KiB,
  batchAgeMs: 1000,
  /** What waits while the server cannot be reached; more is dropped and counted. */
  queueEventsMax: 10_000,
  queueBytesMax: 32 * MiB,
  /** One event. The server takes 8 MiB of UTF-8, and a character may need three bytes. */
  eventCharactersMax: 2 * MiB,
  textCharactersMax: 1 * MiB,
  eventNodesMax: 50_000,
  /** The server allows 64 levels below a field. */
  depthMax: 60,
  /** What an entry costs beside its characters, about. */
  nodeBytes: 16,
  gzipBytesMin: 1 * KiB,
  requestMsMax: 5000,
  answerBytesMax: 1 * MiB,
  backoffMsMin: 500,
  backoffMsMax: 30_000,
  retryAfterMsMax: 5 * 60_000,
  /** A server that answers with an error may never take this batch. */
  attemptsRefusedMax: 10,
  /** One that cannot be reached, or says that it is busy, will; half an hour at `backoffMsMax`. */
  attemptsUnavailableMax: 120,
  /** After a refused key nothing is sent for so long. */
  mutedMs: 5 * 60_000,
  flushMs: 5000,
  /** What the end of a program may wait for the last events. */
  exitMs: 2000,
  /** Events of one request of a serverless program leave together. */
  holdMs: 100,
  /** Browsers let 64 KiB outlive a page. */
  keepaliveBytesMax: 60 * KiB,
} as const;
