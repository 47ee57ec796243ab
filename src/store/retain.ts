// How long rows are kept: which of a day's rows are too old, by project and environment. Pure.
import { z } from "zod";
import { limits } from "../limits.ts";
import { textLiteral } from "./edit.ts";

/** Name of the setting of a project. */
export const retentionSetting = "retention";

export const retentionDaysMax = 36_500;
const environmentsMax = 100;
const dayMs = 24 * 60 * 60 * 1000;

const days = z.int().min(0).max(retentionDaysMax);

/** What a project sets; 0 days keep for ever. */
export const retentionSchema = z.strictObject({
  days: days.nullable().describe("Null is the server's own."),
  environments: z.record(z.string().min(1).max(limits.labelCharactersMax), days)
    .refine((of) => Object.keys(of).length <= environmentsMax, {
      message: `At most ${environmentsMax} environments.`,
    }).describe("Days of environments that differ, by name."),
});
export type RetentionSetting = z.infer<typeof retentionSchema>;

export interface RetentionPolicy {
  days: number;
  environments: Readonly<Record<string, number>>;
}

/** A setting that cannot be read keeps everything: what is deleted does not come back. */
export function policyOf(setting: unknown, defaultDays: number): RetentionPolicy {
  if (setting === null) return { days: defaultDays, environments: {} };
  const read = retentionSchema.safeParse(setting);
  if (!read.success) return { days: 0, environments: {} };
  return { days: read.data.days ?? defaultDays, environments: read.data.environments };
}

/** What of a day (YYYY-MM-DD, UTC) is too old. */
export type Expired = "nothing" | "everything" | {
  /** SQL over the columns of rows. */
  rows: string;
};

export function expiredOf(policy: RetentionPolicy, date: string, nowMs: number): Expired {
  const isOld = (days: number) => days > 0 && date < firstDateOf(days, nowMs);
  const environments = Object.entries(policy.environments);
  const old = environments.filter(([, days]) => isOld(days)).map(([name]) => name);
  const kept = environments.filter(([, days]) => !isOld(days)).map(([name]) => name);
  if (isOld(policy.days)) {
    return kept.length === 0
      ? "everything"
      : { rows: `env IS NULL OR env NOT IN (${kept.map(textLiteral).join(", ")})` };
  }
  return old.length === 0 ? "nothing" : { rows: `env IN (${old.map(textLiteral).join(", ")})` };
}

/** The oldest day that is kept whole. */
export function firstDateOf(days: number, nowMs: number): string {
  return new Date(nowMs - days * dayMs).toISOString().slice(0, 10);
}

/** The longest that anything is kept, in days; 0 is for ever. */
export function longestOf(policies: readonly RetentionPolicy[]): number {
  const all = policies.flatMap(({ days, environments }) => [days, ...Object.values(environments)]);
  return all.includes(0) ? 0 : Math.max(0, ...all);
}
