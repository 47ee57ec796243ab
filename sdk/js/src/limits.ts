// Every bound of the SDK: what it holds, what it sends at once, how long it tries.
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** A batch leaves when it has this many events, this many bytes, or is this old. */
  batchEventsMax: 100,
  batchBytesMax: 512 * KiB,
  batchAgeMs: 1000,
  /** In a serverless function, which may be frozen after its answer. */
  batchAgeServerlessMs: 20,
  /** What waits while the server cannot be reached; more is dropped and counted. */
  queueEventsMax: 10_000,
  queueBytesMax: 32 * MiB,
  /** One event. The server takes 8 MiB of UTF-8, and a character may need three bytes. */
  eventCharactersMax: 2 * MiB,
  textCharactersMax: 1 * MiB,
  eventNodesMax: 50_000,
  /** The server allows 64 levels below a field. */
  depthMax: 60,
  labelCharactersMax: 1024,
  /** The furthest moment that a date can hold. */
  dateMsMax: 8.64e15,
  labelsMax: 256,
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
  /** After an answer that says the address is wrong, nothing is sent for so long. */
  mutedMs: 5 * 60_000,
  /** With a spool, events go to disk this long after their first attempt. */
  spoolAfterMs: 15_000,
  spoolBytesMax: 64 * MiB,
  spoolMsMax: 7 * 24 * 3_600_000,
  /** A claim that is older is of a process that is gone. */
  spoolClaimMsMax: 600_000,
  flushMs: 5000,
  /** What the end of a program may wait for the last events. */
  exitMs: 2000,
  /** Events of one request of a serverless program leave together. */
  holdMs: 100,
  /** Of a generator, the items that are kept as its output; of a streamed answer, the pieces. */
  itemsMax: 1000,
  piecesMax: 100_000,
  /** Text that a regular expression of the program's own is tried on. */
  matchedCharactersMax: 1_000_000,
  headerCharactersMax: 8192,
  /** Browsers let 64 KiB outlive a page. */
  keepaliveBytesMax: 60 * KiB,
} as const;
