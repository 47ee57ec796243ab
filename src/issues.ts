// Issues on a clock: failures that were stored → what is remembered of their issues, and who is told of
// those that are new or have come back. What was stored but not yet noted when the server ended is read
// from the events at the next start; loops, which no single event shows, are looked for once a minute.
import { keyOf } from "./alert/state.ts";
import type { Event } from "./event.ts";
import { issueSetting, type IssueSettings, settingsOf } from "./issue/settings.ts";
import { type News, occur } from "./issue/state.ts";
import type { Notification } from "./notify/channel.ts";
import { kindOf } from "./notify/channels.ts";
import { type Found, loopsOf, receivedSince } from "./query/issues.ts";
import type { Reader } from "./query/question.ts";
import { timestampOf } from "./receive/timestamp.ts";
import type { Clock } from "./std/clock.ts";
import type { AlertStore } from "./store/alerts.ts";

export interface IssuesOptions {
  store: AlertStore;
  reader: Reader;
  projects(): readonly { project_id: string }[];
  setting(project_id: string, name: string): unknown;
  clock: Clock;
  /** Something is to be delivered. */
  wake(): void;
  onError(what: string, error: unknown): void;
}

const noteIntervalMs = 1000;
const loopIntervalMs = 60_000;
/** Loops are looked for in runs that go on for this long. */
const loopWindowMs = 60 * 60_000;
/** An event may be stored this long after it was received. */
const overlapMs = 60_000;
/** Issues and releases that wait to be noted, of all projects. */
const waitingMax = 50_000;
/** Issues that one notification names. */
const toldMax = 20;

/** `old` was stored before issues were noted at all: it is no news. */
interface Noted extends Found {
  old: boolean;
}

interface Waiting {
  found: Map<string, Noted>;
  releases: Map<string, string>;
}

interface Told extends Found {
  news: News;
}

export class Issues {
  readonly #options: IssuesOptions;
  #waiting = new Map<string, Waiting>();
  #waitingCount = 0;
  /** Projects to be read from their events: at the start, and when too much waited. */
  #unread = new Set<string>();
  #withTools = new Set<string>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #work: Promise<void> = Promise.resolve();
  #busy = false;
  #loopsAtMs = 0;

  constructor(options: IssuesOptions) {
    this.#options = options;
  }

  start(): void {
    for (const { project_id } of this.#options.projects()) this.#unread.add(project_id);
    this.#timer = setInterval(() => {
      if (!this.#busy) this.#work = this.tick();
    }, noteIntervalMs);
  }

  /** Notes what waits, then ends. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#work;
    this.flush();
  }

  /** Events of one project, on disk. Cheap: it looks at three fields of each. */
  note(events: readonly Event[]): void {
    for (const event of events) {
      const { release, event_type } = event;
      if (event_type === "tool_call") this.#withTools.add(event.project_id);
      if (event.issue === undefined && release === undefined) continue;
      const waiting = this.#waitingOf(event.project_id);
      if (release !== undefined) {
        const first = waiting.releases.get(release);
        if (first === undefined) this.#waitingCount++;
        if (first === undefined || event.timestamp < first) {
          waiting.releases.set(release, event.timestamp);
        }
      }
      if (event.issue !== undefined) this.#add(waiting, foundOf(event));
      // More than memory is meant to hold.
      if (this.#waitingCount > waitingMax) this.flush();
    }
  }

  /** Reads what is to be read, and notes what waits. */
  async tick(): Promise<void> {
    this.#busy = true;
    const { onError, clock } = this.#options;
    try {
      for (const project_id of [...this.#unread]) await this.#readUnread(project_id);
      if (clock.nowMs() - this.#loopsAtMs >= loopIntervalMs || clock.nowMs() < this.#loopsAtMs) {
        this.#loopsAtMs = clock.nowMs();
        await this.#findLoops();
      }
      this.flush();
    } catch (error) {
      onError("noting issues", error);
    } finally {
      this.#busy = false;
    }
  }

  /** What waits is on disk when this returns. */
  flush(): void {
    const now = timestampOf(this.#options.clock.nowMs());
    const waiting = this.#waiting;
    this.#waiting = new Map();
    this.#waitingCount = 0;
    for (const [project_id, one] of waiting) {
      try {
        this.#store(project_id, one, now);
      } catch (error) {
        this.#unread.add(project_id);
        this.#options.onError(`noting issues of ${project_id}`, error);
      }
    }
  }

  async #readUnread(project_id: string): Promise<void> {
    const { store, reader } = this.#options;
    const mark = store.issues.mark(project_id);
    const since = mark === null ? null : timestampOf(Date.parse(mark) - overlapMs);
    const { found, releases } = await receivedSince(reader, project_id, since);
    const waiting = this.#waitingOf(project_id);
    for (const one of found) this.#add(waiting, one, mark === null);
    for (const { release, first } of releases) {
      const before = waiting.releases.get(release);
      if (before === undefined || first < before) waiting.releases.set(release, first);
    }
    this.#unread.delete(project_id);
  }

  async #findLoops(): Promise<void> {
    const { reader, clock } = this.#options;
    const projects = [...this.#withTools];
    this.#withTools.clear();
    for (const project_id of projects) {
      const since = timestampOf(clock.nowMs() - loopWindowMs);
      const { loop_calls_min } = this.settings(project_id);
      const found = await loopsOf(reader, { project_id, since, values: {} }, loop_calls_min);
      for (const one of found) this.#add(this.#waitingOf(project_id), one);
    }
  }

  settings(project_id: string): IssueSettings {
    return settingsOf(this.#options.setting(project_id, issueSetting));
  }

  #waitingOf(project_id: string): Waiting {
    let waiting = this.#waiting.get(project_id);
    if (waiting === undefined) {
      waiting = { found: new Map(), releases: new Map() };
      this.#waiting.set(project_id, waiting);
    }
    return waiting;
  }

  #add(waiting: Waiting, found: Found, old = false): void {
    const key = `${found.issue} ${found.release ?? ""}`;
    const before = waiting.found.get(key);
    if (before === undefined) {
      this.#waitingCount++;
      waiting.found.set(key, { ...found, old });
      return;
    }
    before.old &&= old;
    if (found.first < before.first) before.first = found.first;
    if (found.last > before.last) before.last = found.last;
  }

  #store(project_id: string, { found, releases }: Waiting, now: string): void {
    const { store, wake } = this.#options;
    const { tell, channels } = this.settings(project_id);
    let hasNews = false;
    store.commit(() => {
      const { issues } = store;
      for (const [release, first] of releases) issues.putRelease(project_id, release, first);
      const told: Told[] = [];
      const firstSeen = (release: string) => issues.releaseSeen(project_id, release);
      for (const one of found.values()) {
        const before = issues.get(project_id, one.issue);
        const { record, news } = occur(before, one, firstSeen);
        issues.put(project_id, record);
        const root = record.merged_into === null
          ? null
          : issues.get(project_id, record.merged_into);
        const after = root === null ? null : occur(root, one, firstSeen);
        if (after !== null) issues.put(project_id, after.record);
        const what = after === null ? news : after.news;
        if (what !== null && tell.includes(what) && !one.old) told.push({ ...one, news: what });
      }
      // Not before what was missed has been read.
      if (!this.#unread.has(project_id)) issues.putMark(project_id, now);
      issues.prune(project_id);
      hasNews = told.length > 0 && this.#tell(project_id, told, channels, now);
    });
    if (hasNews) wake();
  }

  /** Within the transaction: noted and told of, or neither. */
  #tell(
    project_id: string,
    told: readonly Told[],
    channels: readonly string[],
    now: string,
  ): boolean {
    const { store } = this.#options;
    let any = false;
    for (const id of new Set(channels)) {
      const channel = store.channels.get(id);
      if (channel === null || channel.project_id !== project_id) continue;
      const parts = kindOf(channel.type)?.perAlert ? told.map((one) => [one]) : [told];
      for (const part of parts) {
        const what = part.map(({ issue, news, last }) => `${issue} ${news} ${last}`);
        const key = keyOf("dl", id, ...what);
        any = true;
        store.outbox.add({
          id: key,
          project_id,
          channel_id: id,
          channel_name: channel.name,
          channel_type: channel.type,
          rule_id: "issues",
          kind: "firing",
          thread: part.length === 1 ? part[0]!.issue : "issues",
          body: notificationOf(key, project_id, part, now),
        }, now);
      }
    }
    return any;
  }
}

function foundOf(event: Event): Found {
  return {
    issue: event.issue!,
    release: event.release ?? null,
    first: event.timestamp,
    last: event.timestamp,
    title: event.issue_title ?? "",
    place: event.issue_place ?? null,
  };
}

const newsWords: Record<News, string> = { new: "New issue", regressed: "Back again" };

function notificationOf(
  id: string,
  project_id: string,
  told: readonly Told[],
  at: string,
): Notification {
  const [first] = told;
  const line = ({ news, title, place, release }: Told) =>
    `${newsWords[news]}: ${title}` + (place === null ? "" : ` (${place})`) +
    (release === null ? "" : `, in release ${release}`);
  const more = told.length > 1 ? ` and ${told.length - 1} more` : "";
  return {
    id,
    kind: "firing",
    at,
    project_id,
    rule: {
      id: "issues",
      name: "Issues",
      description: null,
      metric: null,
      window_minutes: 0,
      labels: {},
      runbook: { url: null, steps: [], actions: [] },
    },
    level: told.some(({ news }) => news === "regressed") ? "critical" : "warning",
    title: `${newsWords[first!.news]}: ${first!.title}${more}`,
    text: line(first!) + ".",
    alerts: told.slice(0, toldMax).map((one) => ({
      id: one.issue,
      labels: { issue: one.issue, ...one.place === null ? {} : { place: one.place } },
      level: one.news === "regressed" ? "critical" as const : "warning" as const,
      value: null,
      threshold: null,
      expected: null,
      started_at: one.first,
      fired_at: one.last,
      resolved_at: null,
      resolved_reason: null,
      text: line(one) + ".",
    })),
    alerts_total: told.length,
  };
}
