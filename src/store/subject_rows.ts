// Everything that is a subject's, read row by row as it is asked for: a user may have more than memory.
import { type EraseAsked, fillTargets, sourceOf } from "./eraser.ts";
import { plain } from "./duckdb.ts";
import type { LakeHost } from "./edit.ts";
import { events, points } from "./relation.ts";
import type { StoredRow } from "./rewrite.ts";
import { eventsOf, exemplarsOf, pointsOf, type Targets } from "./subject.ts";

export interface SubjectRow {
  view: "events" | "metrics";
  row: StoredRow;
}

/**
 * Rows of all that was acknowledged before the first is asked for, events first, each by time. The
 * files are held until the generator ends: a reader that does not go on must end it.
 */
export async function* subjectRows(
  host: LakeHost,
  { project_id, subject, receivedUntil }: EraseAsked,
  targets: Targets,
): AsyncGenerator<SubjectRow> {
  await host.flush();
  const { version, release } = host.pin();
  const connection = await host.instance.connect();
  try {
    const files = version.files.filter((file) => file.project_id === project_id);
    await fillTargets(connection, targets);
    const examples = `(${pointsOf(subject, receivedUntil)}) OR ` +
      `(${exemplarsOf(subject, receivedUntil)})`;
    const asked = [[events, eventsOf(subject, receivedUntil)], [points, examples]] as const;
    for (const [relation, condition] of asked) {
      const result = await connection.stream(
        `SELECT * FROM ${sourceOf(host.dataDir, files, relation)} WHERE ${condition}
         ORDER BY timestamp, ${relation.idColumn}`,
      );
      const names = result.deduplicatedColumnNames();
      for (let chunk = await result.fetchChunk(); chunk; chunk = await result.fetchChunk()) {
        if (chunk.rowCount === 0) break;
        const vectors = names.map((_, column) => chunk.getColumnVector(column));
        for (let at = 0; at < chunk.rowCount; at++) {
          const row: StoredRow = {};
          for (const [column, vector] of vectors.entries()) {
            const value = vector.getItem(at);
            if (value !== null) row[names[column]!] = plain(value);
          }
          yield { view: relation.view, row };
        }
      }
    }
  } finally {
    connection.closeSync();
    release();
  }
}
