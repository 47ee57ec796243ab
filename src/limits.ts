// Every bound of the server that is not a setting. A unit ends each name.
const MiB = 1024 * 1024;

export const limits = {
  /** Ids are strings of any form up to this length; they are never parsed. */
  idCharactersMax: 128,
  labelCharactersMax: 1024,
  /** Of `input_preview` and `output_preview`. */
  previewCharactersMax: 200,
  /** Entries in `tags` and its like. */
  labelsMax: 256,
  /** One event as a line of the log. DuckDB reads lines of up to 16 MiB. */
  eventBytesMax: 8 * MiB,
  /** Nesting of a field's value. */
  jsonDepthMax: 64,
  batchEventsMax: 10_000,
  /** Times before 2000 or more than a day ahead are mistakes, and would scatter the lake. */
  earliestMs: Date.UTC(2000, 0, 1),
  aheadMsMax: 24 * 60 * 60 * 1000,
  /** A request's body as it arrives, and once decompressed. */
  bodyBytesMax: 20 * MiB,
  bodyInflatedBytesMax: 64 * MiB,
  /** An OTLP export as it arrives; exporters need not compress. */
  exportBytesMax: 64 * MiB,
} as const;
