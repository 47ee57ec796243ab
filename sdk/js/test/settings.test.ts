// What a DSN is, and what beats what among options and the environment.
import { afterEach, expect, test } from "bun:test";
import { type Options, parseDsn, readSettings, type Target } from "../src/settings.ts";

const dsns: [dsn: string, target: Target | null][] = [
  ["http://key@host/p", { endpoint: "http://host/v1/events", key: "key" }],
  ["http://key@127.0.0.1:4318/p", {
    endpoint: "http://127.0.0.1:4318/v1/events",
    key: "key",
  }],
  ["https://key@host:8443/p/", {
    endpoint: "https://host:8443/v1/events",
    key: "key",
  }],
  ["https://key@host/base/path/p", {
    endpoint: "https://host/base/path/v1/events",
    key: "key",
  }],
  [" http://key@[::1]:4318/p\n", {
    endpoint: "http://[::1]:4318/v1/events",
    key: "key",
  }],
  ["http://a:b:c@host/p", { endpoint: "http://host/v1/events", key: "a:b:c" }],
  ["http://k%40%2F%25@host/p", {
    endpoint: "http://host/v1/events",
    key: "k@/%",
  }],
  ["http://key@host/p?x=1#y", {
    endpoint: "http://host/v1/events",
    key: "key",
  }],
  ["http://host/p", null],
  ["http://key@host", null],
  ["http://key@host/", null],
  ["http://@host/p", null],
  ["ftp://key@host/p", null],
  ["http://k%0d%0ay@host/p", null],
  ["http://ключ@host/p", null],
  ["http://k%E0%A4%A@host/p", null],
  ["not a dsn", null],
  ["http://", null],
];
test.each(dsns)("DSN %j", (dsn, target) => {
  expect(parseDsn(dsn)).toEqual(target);
});

const dsn = "http://key@host/p";
const names = [
  "DSN",
  "RELEASE",
  "ENVIRONMENT",
  "SAMPLE_RATE",
  "ENABLED",
  "DEBUG",
];
afterEach(() => {
  for (const name of names) delete process.env[`AISENTRY_${name}`];
});

const none = {
  release: undefined,
  env: undefined,
  sample_rate: 1,
  debug: false,
  tags: [] as string[],
};
const cases: [
  what: string,
  options: Options,
  variables: Record<string, string>,
  settings: object | null,
  warnings: number,
][] = [
  ["nothing", {}, {}, null, 0],
  ["an empty DSN", {}, { DSN: "" }, null, 0],
  ["a DSN", { dsn }, {}, none, 0],
  ["a DSN in the environment", {}, { DSN: dsn }, none, 0],
  ["a nonsense DSN", { dsn: "nonsense" }, {}, null, 1],
  ["a DSN that is no text", { dsn: 5 as unknown as string }, {}, null, 1],
  [
    "all of the environment",
    {},
    {
      DSN: dsn,
      RELEASE: "1.2",
      ENVIRONMENT: "test",
      SAMPLE_RATE: "0.25",
      DEBUG: "1",
    },
    { ...none, release: "1.2", env: "test", sample_rate: 0.25, debug: true },
    0,
  ],
  [
    "options come first",
    { dsn, release: "2", env: "prod", sample_rate: 0.5, debug: false },
    {
      DSN: "nonsense",
      RELEASE: "1.2",
      ENVIRONMENT: "test",
      SAMPLE_RATE: "0.25",
      DEBUG: "1",
    },
    { ...none, release: "2", env: "prod", sample_rate: 0.5 },
    0,
  ],
  ["disabled", { dsn, enabled: false }, {}, null, 0],
  ["disabled by the environment", { dsn }, { ENABLED: "false" }, null, 0],
  ["0 is false", { dsn }, { ENABLED: "0" }, null, 0],
  ["Off is false", { dsn }, { ENABLED: "Off" }, null, 0],
  [
    "enabled against the environment",
    { dsn, enabled: true },
    { ENABLED: "no" },
    none,
    0,
  ],
  ["a rate above 1", { dsn, sample_rate: 7 }, {}, none, 1],
  ["a rate that is no number", { dsn }, { SAMPLE_RATE: "often" }, none, 1],
  ["no sampling at all", { dsn, sample_rate: 0 }, {}, {
    ...none,
    sample_rate: 0,
  }, 0],
  [
    "numbers for texts",
    { dsn, release: 7 as unknown as string, user_id: 42 as unknown as string },
    {},
    { ...none, release: "7", user_id: "42" },
    0,
  ],
  [
    "a hook that is none",
    { dsn, before_send: 5 as unknown as undefined },
    {},
    none,
    0,
  ],
];
test.each(cases)("%s", (_what, options, variables, settings, warnings) => {
  for (const [name, value] of Object.entries(variables)) {
    process.env[`AISENTRY_${name}`] = value;
  }
  const said: string[] = [];
  const read = readSettings(options, (text) => said.push(text));
  if (settings === null) expect(read).toBeNull();
  else expect(read).toMatchObject(settings);
  expect(said).toHaveLength(warnings);
  expect(said.join()).not.toContain("key@");
});
