// Rules on a clock: query → alert → notify. Every tick looks at the window that ends now; what was
// missed, because the server or the question was away, is looked at before.
//
// Late events: a window slides, and an event counts by its own time in every window that it lies in.
// One that comes late by less than the window is therefore seen by the looks that are left;
// `delay_seconds` holds the window's end back for those that come later still.
import { decide, endAll, endByHand, type Look } from "./alert/decide.ts";
import type { Rule } from "./alert/rule.ts";
import { dueOf, setBack } from "./alert/schedule.ts";
import type { Alert, ResolvedReason, RuleState } from "./alert/state.ts";
import { type Notice, tell } from "./alert/tell.ts";
import {
  type AlertValues,
  type PastWindows,
  valuesInPast,
  valuesInWindow,
} from "./query/alerts.ts";
import type { Reader } from "./query/question.ts";
import type { Clock } from "./std/clock.ts";
import { Gate } from "./std/gate.ts";
import type { AlertStore } from "./store/alerts.ts";
import type { StoredRule } from "./store/alerts/rules.ts";
import { Baselines, type Usual, withUsual } from "./watch/baselines.ts";
import { askKey, askOf, pointsOf, seriesAsked } from "./watch/look.ts";
import { deliveriesOf, eventDelivery } from "./watch/news.ts";
import { askSql, type SqlDeps, SqlRuleError } from "./watch/sql_rule.ts";

export interface WatchOptions extends SqlDeps {
  store: AlertStore;
  reader: Reader;
  /** Rules of a project that is gone are left alone. */
  hasProject(project_id: string): boolean;
  clock: Clock;
  /** Never goes back. */
  monotonicMs(): number;
  intervalMs: number;
  /** There is something to deliver. */
  wake(): void;
  onError(what: string, error: unknown): void;
  /** Called where a crash may come between; for tests. */
  onStep?(step: "before_commit" | "after_commit"): void;
}

/** Rules that are looked at with one question. */
interface Batch {
  key: string;
  lane: "quick" | "slow" | "sql";
  rules: StoredRule[];
  run(): Promise<void>;
}

/** What a look found, to be decided and stored. */
interface Found {
  stored: StoredRule;
  looks: Look[];
}

const minuteMs = 60_000;
const waitingMax = 100_000;
/** A question that took longer goes to the slow lane. */
const quickMsMax = 1000;
/** A question is asked again only after so many times what it took: it uses 5 % of a core at most. */
const restFactor = 20;
const failureRestMsMax = 5 * minuteMs;
/** A state that only got older is stored this often. */
const storedMsMax = 30_000;
const pruneEveryMs = 60 * minuteMs;
const keptDays = 90;

export class Watch {
  readonly baselines: Baselines;
  #options: WatchOptions;
  #lanes = {
    quick: new Gate(1, waitingMax),
    slow: new Gate(1, waitingMax),
    sql: new Gate(1, waitingMax),
  };
  /** Rules whose question is under way. */
  #busy = new Set<string>();
  /** By question: how long it took, and when it may be asked again. */
  #rests = new Map<string, { tookMs: number; untilMs: number }>();
  /** By rule: the state as it is on disk, but for what changes with every look. */
  #stored = new Map<string, { at: number; print: string }>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #underWay = new Set<Promise<void>>();
  #prunedMs = -Infinity;
  #stopped = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.baselines = new Baselines(options.reader);
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
    const add = (key: string, lane: Batch["lane"], stored: StoredRule, run: Batch["run"]) => {
      const rest = this.#rests.get(key);
      if (rest !== undefined && rest.untilMs > monotonicMs()) return;
      const batch = batches.get(key);
      if (batch !== undefined) batch.rules.push(stored);
      else {
        const isSlow = lane === "quick" && (rest?.tookMs ?? 0) > quickMsMax;
        batches.set(key, { key, lane: isSlow ? "slow" : lane, rules: [stored], run });
      }
    };
    for (const stored of store.rules.all()) {
      const { id, project_id, rule } = stored;
      if (!rule.enabled || this.#busy.has(id) || !this.#options.hasProject(project_id)) continue;
      const due = dueOf(rule, store.rules.state(id), nowMs, intervalMs);
      if (due.kind === "not_yet") continue;
      if (due.kind === "set_back") this.#setBack(id, due.at);
      const at = nowMs - rule.delay_seconds * 1000;
      const { window_minutes, delay_seconds } = rule;
      if (rule.sql !== undefined) {
        const key = JSON.stringify([project_id, "sql", rule.sql, window_minutes, delay_seconds]);
        add(key, "sql", stored, () => this.#lookBySql(batches.get(key)!.rules, at));
      } else if (due.kind === "past") {
        const key = JSON.stringify([project_id, "past", id]);
        const past = { ...due, windowMs: window_minutes * minuteMs };
        add(key, "slow", stored, () => this.#lookBack(stored, past));
      } else {
        const key = JSON.stringify([project_id, window_minutes, delay_seconds]);
        add(key, "quick", stored, () => this.#look(batches.get(key)!.rules, at));
      }
    }
    return [...batches.values()];
  }

  async #run({ key, lane, rules, run }: Batch): Promise<void> {
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
        // Below a tick's length it makes no difference.
        const restMs = Math.min(tookMs * restFactor, failureRestMsMax);
        this.#rests.set(key, {
          tookMs,
          untilMs: restMs > this.#options.intervalMs ? ended + restMs : 0,
        });
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
      if (rules.length === 1) return this.#fail(rules, error);
      // One of them may be at fault: each for itself, so that the others go on.
      for (const stored of rules) await this.#look([stored], at);
      return;
    }
    const byKey = new Map([...asks.keys()].map((key, place) => [key, answers[place]!]));
    const found: Found[] = [];
    for (const stored of rules) {
      const values = byKey.get(askKey(askOf(stored.rule)))!;
      try {
        found.push({ stored, looks: [await this.#lookOf(stored, values, at)] });
      } catch (error) {
        this.#fail([stored], error);
      }
    }
    this.#conclude(found);
  }

  async #lookOf({ project_id, rule }: StoredRule, values: AlertValues, at: number): Promise<Look> {
    const usual: Usual = (asked) => this.baselines.of(asked);
    const points = await withUsual(usual, pointsOf(rule, values), values, { project_id, rule, at });
    return { at, points, truncated: values.groups > values.values.length };
  }

  /** Windows that were missed, each as if it had been looked at in time. */
  async #lookBack(stored: StoredRule, past: PastWindows & { isCut: boolean }): Promise<void> {
    try {
      const answers = await valuesInPast(this.#options.reader, {
        project_id: stored.project_id,
        ask: askOf(stored.rule),
        seriesMax: seriesAsked(past.steps),
        past,
      });
      const looks: Look[] = [];
      for (const [step, values] of answers.entries()) {
        looks.push(await this.#lookOf(stored, values, past.firstMs + step * past.stepMs));
      }
      this.#conclude([{ stored, looks }]);
      if (past.isCut) {
        this.#options.onError(
          `looking back for the rule "${stored.rule.name}"`,
          new Error(`it was away for longer than ${past.steps} windows; earlier ones are skipped`),
        );
      }
    } catch (error) {
      this.#fail([stored], error);
    }
  }

  /** SQL has no windows of the past: a rule says in its query how far it looks. */
  async #lookBySql(rules: readonly StoredRule[], at: number): Promise<void> {
    const [{ project_id, rule }] = rules as [StoredRule];
    for (const same of byThresholds(rules)) {
      try {
        const answer = await askSql(this.#options, project_id, { ...rule, ...same[0]!.rule }, at);
        this.#conclude(same.map((stored) => ({ stored, looks: [{ at, ...answer }] })));
      } catch (error) {
        // No room in the sandbox: the next tick asks again.
        if (error instanceof SqlRuleError && error.isBusy) continue;
        this.#fail(same, error);
      }
    }
  }

  /** Decides on what was found; states, alerts and what is to be told are stored together. */
  #conclude(found: readonly Found[]): void {
    const { store, monotonicMs } = this.#options;
    const done: { id: string; state: RuleState }[] = [];
    let hasNews = false;
    const writes: (() => void)[] = [];
    for (const { stored, looks } of found) {
      const { id, version, rule } = stored;
      // It was changed or deleted while the question was under way.
      if (store.rules.get(id)?.version !== version) continue;
      const state = structuredClone(store.rules.state(id));
      const changed: Alert[] = [];
      const notices: Notice[] = [];
      for (const look of looks) {
        for (const alert of decide(id, rule, state, look)) changed.push({ ...alert });
        notices.push(...tell(rule, state, look.at));
      }
      Object.assign(state, { health: "ok", last_error: null, failures: 0 });
      done.push({ id, state });
      hasNews ||= changed.length > 0 || notices.length > 0;
      const print = printOf(state);
      const before = this.#stored.get(id);
      const isOld = before === undefined || monotonicMs() - before.at >= storedMsMax;
      if (isOld || before.print !== print) {
        writes.push(() => store.rules.putState(id, state));
        this.#stored.set(id, { at: monotonicMs(), print });
      }
      writes.push(() => this.#record(stored, changed, notices));
    }
    this.#options.onStep?.("before_commit");
    if (writes.length > 0) this.#commit(writes, done.map(({ id }) => id));
    for (const { id, state } of done) store.rules.remember(id, state);
    this.#options.onStep?.("after_commit");
    if (hasNews) this.#options.wake();
  }

  #commit(writes: readonly (() => void)[], ids: readonly string[]): void {
    try {
      this.#options.store.commit(() => {
        for (const write of writes) write();
      });
    } catch (error) {
      for (const id of ids) this.#stored.delete(id);
      throw error;
    }
  }

  /** Within a transaction. */
  #record(stored: StoredRule, changed: readonly Alert[], notices: readonly Notice[]): void {
    const { store, clock } = this.#options;
    const now = new Date(clock.nowMs()).toISOString();
    const { id: rule_id, project_id, rule: { name: rule_name } } = stored;
    const told = notices.flatMap(({ alerts }) => alerts);
    for (const alert of [...changed, ...told]) {
      store.alerts.put({ project_id, rule_id, rule_name, alert });
    }
    for (const alert of changed) {
      if (alert.resolved_at === null) store.outbox.add(eventDelivery(stored, alert), now);
    }
    for (const notice of notices) {
      const channelOf = (id: string) => store.channels.get(id);
      for (const delivery of deliveriesOf(stored, notice, channelOf)) {
        store.outbox.add(delivery, now);
      }
    }
  }

  #fail(rules: readonly StoredRule[], error: unknown): void {
    const { store, clock, monotonicMs } = this.#options;
    const isOwners = error instanceof SqlRuleError || error instanceof Error;
    const message = isOwners ? (error as Error).message : String(error);
    const writes: (() => void)[] = [];
    const done: { id: string; state: RuleState }[] = [];
    for (const { id, version } of rules) {
      if (store.rules.get(id)?.version !== version) continue;
      const state = structuredClone(store.rules.state(id));
      state.health = "failing";
      state.last_error = message.slice(0, 1000);
      state.last_error_at = clock.nowMs();
      state.failures++;
      done.push({ id, state });
      writes.push(() => store.rules.putState(id, state));
      this.#stored.set(id, { at: monotonicMs(), print: printOf(state) });
    }
    this.#commit(writes, done.map(({ id }) => id));
    for (const { id, state } of done) store.rules.remember(id, state);
  }

  #setBack(id: string, at: number): void {
    const { store } = this.#options;
    const state = structuredClone(store.rules.state(id));
    setBack(state, at);
    store.rules.remember(id, state);
  }

  /** Ends what fires by a rule, and tells of it; within a transaction of the caller. */
  endRule(stored: StoredRule, reason: ResolvedReason): RuleState {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    const state = structuredClone(store.rules.state(stored.id));
    const changed = endAll(state, nowMs, reason);
    const notices = tell(withoutDelay(stored.rule), state, nowMs);
    this.#record(stored, changed, notices);
    this.#stored.delete(stored.id);
    return state;
  }

  /** Null when there is no such open alert. */
  resolve(alert_id: string): Alert | null {
    const { store, clock } = this.#options;
    const known = store.alerts.get(alert_id);
    const stored = known === null ? null : store.rules.get(known.rule_id);
    if (stored === null) return null;
    const nowMs = clock.nowMs();
    const state = structuredClone(store.rules.state(stored.id));
    const alert = endByHand(state, alert_id, nowMs);
    if (alert === null) return null;
    const notices = tell(stored.rule, state, nowMs);
    this.#commit([
      () => store.rules.putState(stored.id, state),
      () => this.#record(stored, [alert], notices),
    ], [stored.id]);
    store.rules.remember(stored.id, state);
    this.#options.wake();
    return alert;
  }
}

/** An end is told at once: there is no later tick of this rule. */
function withoutDelay(rule: Rule): Rule {
  return { ...rule, group_interval_minutes: 0, mute: [], snoozed_until: null };
}

/** The same question is one question only for rules that read its columns alike. */
function byThresholds(rules: readonly StoredRule[]): StoredRule[][] {
  const has = ({ rule }: StoredRule) => rule.warning !== undefined || rule.critical !== undefined;
  return [rules.filter(has), rules.filter((stored) => !has(stored))]
    .filter((same) => same.length > 0);
}

/** What of a state is worth a write: not the value and the time of every look. */
function printOf({ evaluated_until: _, took_ms: __, series, ...rest }: RuleState): string {
  const lasting = Object.entries(series).map(([key, { value: _, valued_at: __, ...one }]) => [
    key,
    { ...one, alert: one.alert === null ? null : { ...one.alert, value: null } },
  ]);
  return JSON.stringify([rest, lasting]);
}
