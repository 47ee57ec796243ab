// Everything about a user, a session, a run or an event, as newline-delimited JSON. Each line says what
// it is by its one name; the last is `end` with counts, so what was cut off is seen to be.
//
//   {"export": {…}}  {"event": {…}} …  {"point": {…}} …  {"piece": {…}} …  {"alert": {…}} …
//   {"notification": {…}} …  {"file": {sha256, bytes, base64}} …  {"end": {events, points, …}}
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { toEvent } from "./query/event_json.ts";
import type { Fields } from "./receive/langfuse_body.ts";
import type { Clock } from "./std/clock.ts";
import { blobPath } from "./store/blobs.ts";
import { type EraseAsked, type Eraser, setsOf } from "./store/eraser.ts";
import type { SubjectKind } from "./store/subject.ts";
import { subjectRows } from "./store/subject_rows.ts";
import { isPieceOf, runsOf, withPieces } from "./erase/pieces.ts";

export interface ExportParts {
  dataDir: string;
  eraser: Pick<Eraser, "collect" | "host">;
  pieces: { pieces(project_id: string): Fields[] };
  alerts(
    project_id: string,
    ids: readonly string[],
  ): { alerts: unknown[]; notifications: unknown[] };
  storedId(project_id: string, kind: SubjectKind, id: string): string;
  clock: Clock;
}

export interface ExportAsked {
  project_id: string;
  kind: SubjectKind;
  id: string;
  /** Whether files that were moved out of events follow. */
  files: boolean;
}

type Line = Record<string, unknown>;

/** JSON text in these columns of data points. */
const pointJson = [
  "distribution",
  "attributes",
  "resource",
  "scope",
  "exemplars",
  "redactions",
] as const;

/** Lines without their ends. A reader that stops must end the generator: it holds files. */
export async function* exportLines(
  parts: ExportParts,
  { project_id, kind, id, files }: ExportAsked,
): AsyncGenerator<string> {
  const exported_at = new Date(parts.clock.nowMs()).toISOString();
  const subject = { kind, ids: [...new Set([id, parts.storedId(project_id, kind, id)])] };
  const asked: EraseAsked = { project_id, subject, receivedUntil: exported_at };
  const waiting = parts.pieces.pieces(project_id);
  const { targets: stored } = await parts.eraser.collect(asked, runsOf(waiting));
  const targets = { ...stored, runs: withPieces(subject, stored.runs, waiting) };
  const counts = { events: 0, points: 0, pieces: 0, alerts: 0, notifications: 0, files: 0 };
  const blobs = new Set<string>();
  yield text({ export: { project_id, kind, exported_at } });
  for await (const { view, row } of subjectRows(parts.eraser.host, asked, targets)) {
    if (view === "metrics") {
      counts.points++;
      yield text({ point: pointOf(row) });
      continue;
    }
    counts.events++;
    for (const sha256 of row.blobs as string[] | undefined ?? []) blobs.add(sha256);
    const { json_fields: _, ...event } = toEvent(row);
    yield text({ event });
  }
  for (const piece of waiting.filter(isPieceOf(subject, setsOf(targets)))) {
    counts.pieces++;
    yield text({ piece });
  }
  const { alerts, notifications } = parts.alerts(project_id, subject.ids);
  for (const alert of alerts) yield text({ alert });
  for (const notification of notifications) yield text({ notification });
  for (const sha256 of files ? blobs : []) {
    const bytes = await readFile(join(parts.dataDir, blobPath(project_id, sha256)))
      .catch(() => null);
    counts.files++;
    // A file that is lost is told, too.
    const base64 = bytes?.toString("base64") ?? null;
    yield text({ file: { sha256, bytes: bytes?.length ?? null, base64 } });
  }
  Object.assign(counts, { alerts: alerts.length, notifications: notifications.length });
  yield text({ end: { ...counts, files: files ? counts.files : null, files_named: blobs.size } });
}

function text(line: Line): string {
  return JSON.stringify(line);
}

function pointOf(row: Line): Line {
  const point = { ...row };
  for (const name of pointJson) {
    if (typeof point[name] === "string") point[name] = JSON.parse(point[name]);
  }
  return point;
}
