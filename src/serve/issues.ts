// /api/issues: failures grouped, and what people say of them.
import { OpenAPIHono, z } from "@hono/zod-openapi";
import { issueSetting, settingsOf } from "../issue/settings.ts";
import { type IssueRecord, issueStates, occur } from "../issue/state.ts";
import type { Issues } from "../issues.ts";
import type { Filter } from "../query/filter.ts";
import {
  type Buckets,
  detailsOf,
  type IssueRow,
  issuesAsked,
  issuesOf,
  type IssueView,
} from "../query/issues.ts";
import type { Reader } from "../query/question.ts";
import { timestampOf } from "../receive/timestamp.ts";
import type { Clock } from "../std/clock.ts";
import type { State } from "../store/state.ts";
import type { Alerting } from "../watch/open.ts";
import { refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { decodeCursor, encodeCursor, filterOf, invalid, strictly } from "./filter.ts";
import {
  list,
  listQuery,
  merge,
  one,
  oneQuery,
  patch,
  putSettings,
  readSettings,
  told,
  unmerge,
} from "./issue_routes.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface IssueDeps {
  reader: Reader;
  clock: Clock;
  alerting: Alerting;
  state: State;
  issues: Issues;
}

const listBuckets = 24;
const detailBuckets = 60;
const spreadMax = 10;
/** Of one project; each question carries the list. */
const mergesMax = 1000;

type Told = z.infer<typeof told>;
type ListQuery = z.output<typeof listQuery>;
const place = z.object({ offset: z.int().min(0) });

export function issueRoutes(
  { reader, clock, alerting: { store }, state, issues }: IssueDeps,
): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) =>
      (result.target === "query" ? strictly(listQuery, oneQuery) : refuseInvalid)(result, c),
  });
  app.use("/api/issues/*", smallBody);

  const viewOf = (project_id: string): IssueView => ({
    merged: store.issues.merged(project_id),
    loop_calls_min: issues.settings(project_id).loop_calls_min,
  });
  /** The issue that this one counts for. */
  const rootOf = (project_id: string, id: string) =>
    store.issues.get(project_id, id)?.merged_into ?? id;
  const ask = async (filter: Filter, only: string | null, buckets: number) => {
    const view = viewOf(filter.project_id);
    const answers = await issuesOf(
      reader,
      filter,
      view,
      { only, buckets, nowMs: clock.nowMs() },
      () => only === null ? [] : [only],
    );
    return { ...answers, view };
  };
  const tellOne = async (project_id: string, id: string) => {
    const { rows, view, buckets, trends } = await ask({ project_id, values: {} }, id, listBuckets);
    return toldOf(
      project_id,
      id,
      rows[0],
      recordOf(project_id, id, rows[0]),
      view,
      trendOf(buckets, trends.get(id)),
    );
  };
  /** What is remembered; of what was not noted yet, what it will be. */
  const recordOf = (project_id: string, id: string, row: IssueRow | undefined) => {
    const record = store.issues.get(project_id, id);
    if (record !== null) return record;
    if (row === undefined) throw unknown(id);
    return recordOfRow(row);
  };
  /** Throws 404 when nothing is known of it. */
  const known = async (project_id: string, id: string): Promise<IssueRecord> => {
    const record = store.issues.get(project_id, id);
    if (record !== null) return record;
    const { rows } = await ask({ project_id, values: {} }, id, 1);
    return recordOf(project_id, id, rows[0]);
  };

  app.openapi(readSettings, (c) => {
    const project_id = allowed(
      c.get("principal"),
      "read",
      c.req.valid("query").project_id as string,
    );
    return c.json(issues.settings(project_id), 200);
  });

  app.openapi(putSettings, async (c) => {
    const project_id = allowed(
      c.get("principal"),
      "admin",
      c.req.valid("query").project_id as string,
    );
    const settings = c.req.valid("json");
    const stranger = settings.channels.find((id) =>
      store.channels.get(id)?.project_id !== project_id
    );
    if (stranger !== undefined) {
      throw new Problem(
        400,
        "Unknown channel",
        `There is no channel "${stranger}" in this project.`,
      );
    }
    await state.setSetting(project_id, issueSetting, settings);
    return c.json(settingsOf(settings), 200);
  });

  app.openapi(list, async (c) => {
    const { state: states, kind, assignee, search, sort, order, limit, cursor, ...rest } = c.req
      .valid("query");
    const filter = filterOf(c.get("principal"), rest, clock.nowMs());
    const { project_id } = filter;
    const offset = decodeCursor(cursor, place)?.offset ?? 0;
    const records = new Map(store.issues.all(project_id).map((one) => [one.issue, one]));
    const view = viewOf(project_id);
    const recordOf = (row: IssueRow) => records.get(row.issue) ?? recordOfRow(row);
    const counts = Object.fromEntries(issueStates.map((state) => [state, 0]));
    let found: IssueRow[] = [];
    const { rows, buckets, trends } = await issuesOf(
      reader,
      filter,
      view,
      { only: null, buckets: listBuckets, nowMs: clock.nowMs() },
      (rows) => {
        const wanted = rows.filter((row) =>
          (kind === undefined || kind.includes(row.kind)) &&
          (assignee === undefined || (recordOf(row).assignee ?? "") === assignee) &&
          says(row, recordOf(row), search)
        );
        for (const row of wanted) counts[recordOf(row).state]!++;
        found = wanted.filter((row) => states === undefined || states.includes(recordOf(row).state))
          .toSorted(by({ sort, order }, recordOf));
        return found.slice(offset, offset + limit).map(({ issue }) => issue);
      },
    );
    const shown = found.slice(offset, offset + limit).map((row) =>
      toldOf(
        project_id,
        row.issue,
        row,
        recordOf(row),
        view,
        trendOf(buckets, trends.get(row.issue)),
      )
    );
    const next = offset + limit;
    return c.json({
      issues: shown,
      total: found.length,
      states: counts,
      truncated: rows.length === issuesAsked,
      next_cursor: found.length > next ? encodeCursor({ offset: next }) : null,
    }, 200);
  });

  app.openapi(one, async (c) => {
    const { samples, ...rest } = c.req.valid("query");
    const filter = filterOf(c.get("principal"), rest, clock.nowMs());
    const { project_id } = filter;
    const id = rootOf(project_id, c.req.valid("param").id);
    const { rows, buckets, trends, view } = await ask(filter, id, detailBuckets);
    const record = rows.length === 0
      ? await known(project_id, id)
      : recordOf(project_id, id, rows[0]);
    const details = await detailsOf(reader, filter, view, {
      issue: id,
      samples,
      values: spreadMax,
    });
    const issue = toldOf(project_id, id, rows[0], record, view, trendOf(buckets, trends.get(id)));
    return c.json({ ...issue, ...details }, 200);
  });

  app.openapi(patch, async (c) => {
    const project_id = allowed(
      c.get("principal"),
      "admin",
      c.req.valid("query").project_id as string,
    );
    const asked = c.req.valid("json");
    const id = rootOf(project_id, c.req.valid("param").id);
    const isResolving = asked.state === "resolved";
    if (!isResolving && (asked.in_next_release !== undefined || asked.in_release != null)) {
      throw invalid("in_release", "with the state resolved");
    }
    // What came before is noted before: it must not look like a return.
    issues.flush();
    const newest = store.issues.releases(project_id).at(-1);
    if (asked.in_next_release === true && newest === undefined) {
      throw new Problem(
        400,
        "No release",
        "No event of this project names its release: resolve it without one.",
      );
    }
    const before = await known(project_id, id);
    const now = timestampOf(clock.nowMs());
    const record = { ...before, updated_at: now };
    if (asked.state !== undefined) {
      const resolved_in = asked.in_next_release === true ? newest! : asked.in_release ?? null;
      Object.assign(record, {
        state: asked.state,
        resolved_at: isResolving ? now : null,
        resolved_in: isResolving ? resolved_in : null,
        regressed_at: null,
        regressed_in: null,
      });
    }
    if (asked.assignee !== undefined) record.assignee = asked.assignee;
    if (asked.note !== undefined) record.note = asked.note;
    store.commit(() => store.issues.put(project_id, record));
    return c.json(await tellOne(project_id, id), 200);
  });

  app.openapi(merge, async (c) => {
    const project_id = allowed(
      c.get("principal"),
      "admin",
      c.req.valid("query").project_id as string,
    );
    const into = rootOf(project_id, c.req.valid("param").id);
    const ids = [...new Set(c.req.valid("json").issues)].filter((id) => id !== into);
    const target = await known(project_id, into);
    const others: IssueRecord[] = [];
    for (const id of ids) others.push(await known(project_id, id));
    const merged = store.issues.merged(project_id);
    if (merged.length + others.length > mergesMax) {
      throw new Problem(400, "Too many", `A project has ${mergesMax} merged issues at most.`);
    }
    const updated_at = timestampOf(clock.nowMs());
    store.commit(() => {
      let root: IssueRecord = { ...target, updated_at };
      for (const other of others) {
        // What counted for it counts for the new one: there are no chains.
        for (const { issue, into: old } of merged) {
          if (old !== other.issue) continue;
          const below = store.issues.get(project_id, issue);
          if (below !== null) store.issues.put(project_id, { ...below, merged_into: into });
        }
        store.issues.put(project_id, { ...other, merged_into: into, updated_at });
        if (other.first_seen < root.first_seen) {
          const { first_seen, first_release } = other;
          root = { ...root, first_seen, first_release: first_release ?? root.first_release };
        }
        if (other.last_seen > root.last_seen) root = { ...root, last_seen: other.last_seen };
      }
      store.issues.put(project_id, root);
    });
    return c.json(await tellOne(project_id, into), 200);
  });

  app.openapi(unmerge, async (c) => {
    const project_id = allowed(
      c.get("principal"),
      "admin",
      c.req.valid("query").project_id as string,
    );
    const { id } = c.req.valid("param");
    const record = store.issues.get(project_id, id);
    if (record === null) throw unknown(id);
    store.commit(() => {
      const updated_at = timestampOf(clock.nowMs());
      store.issues.put(project_id, { ...record, merged_into: null, updated_at });
    });
    return c.json(await tellOne(project_id, id), 200);
  });
  return app;
}

function unknown(id: string): Problem {
  return new Problem(404, "Not found", `There is no issue "${id}".`);
}

function recordOfRow({ issue, first_seen, last_seen, first_release }: IssueRow): IssueRecord {
  const occurrence = { issue, release: first_release, first: first_seen, last: last_seen };
  return occur(null, occurrence, () => null).record;
}

function says({ issue, title, place }: IssueRow, { note }: IssueRecord, search?: string): boolean {
  if (search === undefined || search === "") return true;
  const wanted = search.toLowerCase();
  return [issue, title, place, note].some((text) => text?.toLowerCase().includes(wanted) ?? false);
}

function by(
  { sort, order }: Pick<ListQuery, "sort" | "order">,
  recordOf: (row: IssueRow) => IssueRecord,
): (one: IssueRow, other: IssueRow) => number {
  const direction = order === "desc" ? -1 : 1;
  const valueOf = (row: IssueRow) => sort === "first_seen" ? recordOf(row).first_seen : row[sort];
  return (one, other) => {
    const [a, b] = [valueOf(one), valueOf(other)];
    if (a !== b) return (a < b ? -1 : 1) * direction;
    // Then the latest first, then by id: a page reads the same each time.
    if (one.last_seen !== other.last_seen) return one.last_seen < other.last_seen ? 1 : -1;
    return one.issue < other.issue ? -1 : 1;
  };
}

function trendOf(buckets: Buckets | null, events: number[] | undefined): Told["trend"] {
  if (buckets === null || events === undefined) return null;
  return { since: buckets.first, interval_seconds: buckets.stepMs / 1000, events };
}

function toldOf(
  project_id: string,
  id: string,
  row: IssueRow | undefined,
  record: IssueRecord,
  { merged }: IssueView,
  trend: Told["trend"],
): Told {
  const { issue: _, merged_into: __, updated_at: ___, ...remembered } = record;
  return {
    id,
    project_id,
    ...remembered,
    kind: row?.kind ?? null,
    title: row?.title ?? null,
    place: row?.place ?? null,
    events: row?.events ?? 0,
    runs: row?.runs ?? 0,
    users: (row?.users ?? 0) === 0 ? null : row!.users,
    last_release: row?.last_release ?? null,
    merged: merged.filter(({ into }) => into === id).map(({ issue }) => issue),
    trend,
  };
}
