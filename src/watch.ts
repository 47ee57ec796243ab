// Rules on a clock: query → alert → notify. Every tick looks at the window that ends now; what was
// missed, because the server or the question was away, is looked at before.
//
// Late events: a window slides, and an event counts by its own time in every window that it lies in.
// One that comes late by less than the window is therefore seen by the looks that are left;
// `delay_seconds` holds the window's end back for those that come later still.
import type { Look } from "./alert/decide.ts";
import type { Rule } from "./alert/rule.ts";
import { dueOf } from "./alert/schedule.ts";
import type { Alert, ResolvedReason, RuleState } from "./alert/state.ts";
import {
  type AlertValues,
  type PastWindows,
  valuesInPast,
  valuesInWindow,
} from "./query/alerts.ts";
import type { Reader } from "./query/question.ts";
import { Gate } from "./std/gate.ts";
import type { StoredRule } from "./store/alerts/rules.ts";
import { Baselines, type Usual, withUsual } from "./watch/baselines.ts";
import { type ConcludeOptions, Conclusions, type Found } from "./watch/conclude.ts";
import { askKey, askOf, pointsOf, seriesAsked } from "./watch/look.ts";
import { askSql, type SqlDeps, SqlRuleError } from "./watch/sql_rule.ts";

export interface WatchOptions extends SqlDeps, ConcludeOptions {
  reader: Reader;
  /** Rules of a project that is gone are left alone. */
  hasProject(project_id: string): boolean;
  intervalMs: number;
  onError(what: string, error: unknown): void;
}

/** Each asks one question at a time; what is slow waits for what is slow. */
type Lane = "quick" | "slow" | "sql" | "slow_sql";

/** Rules that are looked at with one question. */
interface Batch {
  /** Of the question, whatever the time that it is asked for. */
  restKey: string;
  lane: Lane;
  rules: StoredRule[];
  run(): Promise<void>;
}

const minuteMs = 60_000;
const waitingMax = 100_000;
/** A question that took longer goes to the slow lane of its kind. */
const quickMsMax: Partial<Record<Lane, number>> = { quick: 1000, sql: 3000 };
const slowLanes: Partial<Record<Lane, Lane>> = { quick: "slow", sql: "slow_sql" };
/** A question is asked again only after so many times what it took: it uses 5 % of a core at most. */
const restFactor = 20;
const failureRestMsMax = 5 * minuteMs;
const pruneEveryMs = 60 * minuteMs;
const keptDays = 90;

export class Watch {
  readonly baselines: Baselines;
  #options: WatchOptions;
  #lanes = {
    quick: new Gate(1, waitingMax),
    slow: new Gate(1, waitingMax),
    sql: new Gate(1, waitingMax),
    slow_sql: new Gate(1, waitingMax),
  };
  /** Rules whose question is under way. */
  #busy = new Set<string>();
  /** By question: how long it took, and when it may be asked again. */
  #rests = new Map<string, { tookMs: number; restMs: number; untilMs: number }>();
  #conclusions: Conclusions;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #underWay = new Set<Promise<void>>();
  #prunedMs = -Infinity;
  #stopped = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.baselines = new Baselines(options.reader);
    this.#conclusions = new Conclusions(options);
  }

  start(): void {
    const turn = () => {
      this.tick().catch((error) => this.#options.onError("looking at the alert rules", error));
      if (!this.#stopped) this.#timer = setTimeout(turn, this.#options.intervalMs);
    };
    this.#timer = setTimeout(turn, Math.min(this.#options.intervalMs, 1000));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all(this.#underWay);
  }

  /** Looks at every rule that is due and not under way; resolves when all of these are done. */
  async tick(): Promise<void> {
    const { store, monotonicMs, clock } = this.#options;
    store.refresh();
    if (monotonicMs() - this.#prunedMs > pruneEveryMs) {
      this.#prunedMs = monotonicMs();
      for (const [key, { untilMs }] of this.#rests) {
        if (untilMs <= monotonicMs()) this.#rests.delete(key);
      }
      store.prune(new Date(clock.nowMs() - keptDays * 24 * 60 * minuteMs).toISOString());
    }
    const work = this.#batches().map((batch) => this.#run(batch));
    for (const one of work) {
      this.#underWay.add(one);
      one.finally(() => this.#underWay.delete(one));
    }
    await Promise.all(work);
  }

  #batches(): Batch[] {
    const { store, clock, intervalMs, monotonicMs } = this.#options;
    const nowMs = clock.nowMs();
    const batches = new Map<string, Batch>();
    const add = (
      key: string,
      lane: Lane,
      stored: StoredRule,
      run: Batch["run"],
      restKey = key,
    ) => {
      const rest = this.#rests.get(restKey);
      if (rest !== undefined && rest.untilMs > monotonicMs()) return;
      const batch = batches.get(key);
      if (batch !== undefined) batch.rules.push(stored);
      else {
        const isSlow = (rest?.tookMs ?? 0) > (quickMsMax[lane] ?? Infinity);
        batches.set(key, {
          restKey,
          lane: isSlow ? slowLanes[lane] ?? lane : lane,
          rules: [stored],
          run,
        });
      }
    };
    for (const stored of store.rules.all()) {
      const { id, project_id, rule } = stored;
      if (!rule.enabled || this.#busy.has(id) || !this.#options.hasProject(project_id)) continue;
      const state = store.rules.state(id);
      const key = keyOf(stored, state);
      const due = dueOf(rule, state, nowMs, intervalMs, this.#rests.get(key)?.restMs);
      if (due.kind === "not_yet") continue;
      if (due.kind === "set_back") this.#conclusions.setBack(id, due.at);
      const at = nowMs - rule.delay_seconds * 1000;
      if (rule.sql !== undefined) {
        add(key, "sql", stored, () => this.#lookBySql(batches.get(key)!.rules, at));
      } else if (due.kind === "past") {
        const past = { ...due, windowMs: rule.window_minutes * minuteMs };
        const restKey = JSON.stringify([key, askKey(askOf(rule))]);
        const pastKey = JSON.stringify([restKey, past]);
        const run = () => this.#lookBack(batches.get(pastKey)!.rules, past);
        add(pastKey, "slow", stored, run, restKey);
      } else {
        const lane = state.failures > 0 ? "slow" : "quick";
        add(key, lane, stored, () => this.#look(batches.get(key)!.rules, at));
      }
    }
    return [...batches.values()];
  }

  async #run({ restKey, lane, rules, run }: Batch): Promise<void> {
    const gate = this.#lanes[lane];
    for (const { id } of rules) this.#busy.add(id);
    try {
      if (!(await gate.enter())) return;
      const began = this.#options.monotonicMs();
      try {
        if (!this.#stopped) await run();
      } finally {
        const ended = this.#options.monotonicMs();
        const tookMs = ended - began;
        // Once is no rule: the first question reads what the next finds in memory.
        const usualMs = Math.min(tookMs, this.#rests.get(restKey)?.tookMs ?? 0);
        const restMs = Math.min(usualMs * restFactor, failureRestMsMax);
        const untilMs = restMs > this.#options.intervalMs ? ended + restMs : 0;
        this.#rests.set(restKey, { tookMs, restMs, untilMs });
        gate.leave();
      }
    } catch (error) {
      this.#options.onError("looking at alert rules", error);
    } finally {
      for (const { id } of rules) this.#busy.delete(id);
    }
  }

  /** Rules of one project and window: the window is read once for all of them. */
  async #look(rules: readonly StoredRule[], at: number): Promise<void> {
    const asks = new Map(rules.map(({ rule }) => {
      const ask = askOf(rule);
      return [askKey(ask), ask] as const;
    }));
    const [{ project_id, rule }] = rules as [StoredRule];
    let answers: AlertValues[];
    try {
      answers = await valuesInWindow(this.#options.reader, {
        project_id,
        since: new Date(at - rule.window_minutes * minuteMs).toISOString(),
        until: new Date(at).toISOString(),
        seriesMax: seriesAsked(),
        asks: [...asks.values()],
      });
    } catch (error) {
      if (rules.length === 1 || this.#stopped) return this.#conclusions.fail(rules, error);
      // One of them may be at fault: it is looked for by halves, and the others go on.
      const half = rules.length >> 1;
      await this.#look(rules.slice(0, half), at);
      await this.#look(rules.slice(half), at);
      return;
    }
    const byKey = new Map([...asks.keys()].map((key, place) => [key, answers[place]!]));
    const found: Found[] = [];
    for (const stored of rules) {
      const values = byKey.get(askKey(askOf(stored.rule)))!;
      try {
        found.push({ stored, looks: [await this.#lookOf(stored, values, at)] });
      } catch (error) {
        this.#conclusions.fail([stored], error);
      }
    }
    this.#conclusions.conclude(found);
  }

  async #lookOf({ project_id, rule }: StoredRule, values: AlertValues, at: number): Promise<Look> {
    const usual: Usual = (asked) => this.baselines.of(asked);
    const points = await withUsual(usual, pointsOf(rule, values), values, { project_id, rule, at });
    return { at, points, truncated: values.groups > values.values.length };
  }

  /** Windows that were missed, each as if it had been looked at in time, for rules that ask the same. */
  async #lookBack(
    rules: readonly StoredRule[],
    past: PastWindows & { isCut: boolean },
  ): Promise<void> {
    const [{ project_id, rule }] = rules as [StoredRule];
    let answers: AlertValues[];
    try {
      answers = await valuesInPast(this.#options.reader, {
        project_id,
        ask: askOf(rule),
        seriesMax: seriesAsked(past.steps),
        past,
      });
    } catch (error) {
      return this.#conclusions.fail(rules, error);
    }
    for (const stored of rules) {
      try {
        const looks: Look[] = [];
        for (const [step, values] of answers.entries()) {
          looks.push(await this.#lookOf(stored, values, past.firstMs + step * past.stepMs));
        }
        this.#conclusions.conclude([{ stored, looks }]);
      } catch (error) {
        this.#conclusions.fail([stored], error);
      }
      if (!past.isCut) continue;
      this.#options.onError(
        `looking back for the rule "${stored.rule.name}"`,
        new Error(`it was away for longer than ${past.steps} windows; earlier ones are skipped`),
      );
    }
  }

  /** SQL has no windows of the past: a rule says in its query how far it looks. */
  async #lookBySql(rules: readonly StoredRule[], at: number): Promise<void> {
    const [{ project_id, rule }] = rules as [StoredRule];
    for (const same of byThresholds(rules)) {
      try {
        const answer = await askSql(this.#options, project_id, { ...rule, ...same[0]!.rule }, at);
        this.#conclusions.conclude(same.map((stored) => ({ stored, looks: [{ at, ...answer }] })));
      } catch (error) {
        // No room in the sandbox: the next tick asks again.
        if (error instanceof SqlRuleError && error.isBusy) continue;
        this.#conclusions.fail(same, error);
      }
    }
  }

  /** Ends what fires by a rule, and tells of it; within a transaction of the caller. */
  endRule(stored: StoredRule, reason: ResolvedReason): RuleState {
    return this.#conclusions.endRule(stored, reason);
  }

  /** Null when there is no such open alert. */
  resolve(alert_id: string): Alert | null {
    return this.#conclusions.resolve(alert_id);
  }
}

/** Rules with the same key are looked at with one question. */
function keyOf({ id, project_id, rule }: StoredRule, { failures }: RuleState): string {
  const { sql, window_minutes, delay_seconds } = rule;
  if (sql !== undefined) {
    return JSON.stringify([project_id, "sql", sql, window_minutes, delay_seconds]);
  }
  // One that failed is asked by itself until it is well, so that it fails alone.
  const apart = failures > 0 ? id : asksById(rule) ? "by id" : "";
  return JSON.stringify([project_id, window_minutes, delay_seconds, apart]);
}

/** Such a question tells every user from every other: it does not make the others as dear as it is. */
function asksById({ group_by, filter }: Rule): boolean {
  return group_by === "user_id" || filter?.user_id !== undefined ||
    filter?.run_id !== undefined || filter?.session_id !== undefined;
}

/** The same question is one question only for rules that read its columns alike. */
function byThresholds(rules: readonly StoredRule[]): StoredRule[][] {
  const has = ({ rule }: StoredRule) => rule.warning !== undefined || rule.critical !== undefined;
  return [rules.filter(has), rules.filter((stored) => !has(stored))]
    .filter((same) => same.length > 0);
}
