// What a project says of its issues: its own grouping, when repetition is a loop, and who is told.
import { z } from "zod";
import type { Event } from "../event.ts";
import { limits } from "../limits.ts";
import { issueOf } from "./fingerprint.ts";
import { issueKinds } from "./kind.ts";

/** Name of the project's setting. */
export const issueSetting = "issues";

const rulesMax = 100;
const patternCharactersMax = 200;
const textCharactersMax = 1000;

const pattern = z.string().min(1).max(patternCharactersMax).optional()
  .describe("The text, whatever its case; * stands for anything.");

/** Fields of an event that a rule may look at, and the names that it gives to them. */
const matched = {
  error_type: "error_type",
  error_code: "error_code",
  message: "error_message",
  tool_name: "tool_name",
  name: "name",
  model: "model",
  provider: "provider",
  service: "service",
} as const satisfies Record<string, keyof Event>;
type Matched = keyof typeof matched;

const rule = z.strictObject({
  match: z.strictObject({
    kind: z.enum(issueKinds).optional(),
    ...Object.fromEntries(Object.keys(matched).map((name) => [name, pattern])) as Record<
      Matched,
      typeof pattern
    >,
  }).refine((match) => Object.values(match).some((one) => one !== undefined), "needs a condition"),
  fingerprint: z.string().min(1).max(limits.labelCharactersMax)
    .describe("Failures that match become one issue with all others of this fingerprint."),
});
export type GroupingRule = z.infer<typeof rule>;

export const issueSettings = z.strictObject({
  rules: z.array(rule).max(rulesMax).default([])
    .describe("The first that matches holds, for events that are sent from then on."),
  loop_calls_min: z.int().min(2).max(1000).default(5)
    .describe("So many calls of a tool with the same input within a run are a loop."),
  tell: z.array(z.enum(["new", "regressed"])).max(2).default(["new", "regressed"]),
  channels: z.array(z.string().max(limits.idCharactersMax)).max(20).default([])
    .describe("Channels that are told of issues that are new or regressed."),
});
export type IssueSettings = z.infer<typeof issueSettings>;

const read = new WeakMap<object, IssueSettings>();
const standard = issueSettings.parse({});

/** The stored setting, or what holds without one; the same object until it is set anew. */
export function settingsOf(stored: unknown): IssueSettings {
  if (typeof stored !== "object" || stored === null) return standard;
  let settings = read.get(stored);
  if (settings === undefined) {
    settings = issueSettings.safeParse(stored).data ?? standard;
    read.set(stored, settings);
  }
  return settings;
}

/** Sets the fingerprint of a failure that a rule is for, unless its producer has set one. */
export function groupBy(rules: readonly GroupingRule[], event: Event): void {
  if (event.fingerprint !== undefined) return;
  const kind = issueOf(event)?.issue_kind;
  if (kind === undefined) return;
  const found = rules.find(({ match: { kind: wanted, ...texts } }) =>
    (wanted === undefined || wanted === kind) &&
    Object.entries(texts).every(([name, pattern]) => {
      const value = event[matched[name as Matched]];
      return pattern === undefined || value !== undefined && isLike(value, pattern);
    })
  );
  if (found !== undefined) event.fingerprint = found.fingerprint;
}

/** Both are short, so that the way back after a * that took too little is short as well. */
export function isLike(text: string, pattern: string): boolean {
  const value = text.slice(0, textCharactersMax).toLowerCase();
  const wanted = pattern.toLowerCase();
  let at = 0;
  let place = 0;
  let star = -1;
  let from = 0;
  while (at < value.length) {
    if (wanted[place] === "*") {
      star = place++;
      from = at;
    } else if (wanted[place] === value[at]) {
      place++;
      at++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++from;
    } else return false;
  }
  while (wanted[place] === "*") place++;
  return place === wanted.length;
}
