// Proof that an erasure is whole: every file under the data directory is read again, whatever the
// manifest says. Parquet files and lines of the log are judged row by row, everything else byte by
// byte, so that free pages of databases, drafts and files kept for readers are looked at too.
//
// It runs in a process of its own: to read a database's bytes, and to close it, would free the locks
// that a server in the same process holds on it.
import { Database } from "bun:sqlite";
import type { DuckDBConnection } from "@duckdb/node-api";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readParquet, rowsOf } from "./duckdb.ts";
import { textLiteral } from "./edit.ts";
import {
  conditionOf,
  type EraseAsked,
  fillTargets,
  isLineOf,
  setsOf,
  type TargetSets,
} from "./eraser.ts";
import type { Erasure } from "./erasures.ts";
import { points, relationOf } from "./relation.ts";
import { bareBytesMin, isNamed, pointsOf } from "./subject.ts";

export interface Finding {
  /** Below the data directory. */
  path: string;
  what: string;
  count: number;
}

export interface ErasedReport {
  files: number;
  bytes: number;
  /** What should not be there. */
  left: Finding[];
  /** What was received after the order, which is not touched. */
  later: Finding[];
  /** Rows, lines and files of others in which the id stands. */
  mentions: Finding[];
}

type Kind = "left" | "later" | "mentions";

/** What belongs to the running process alone, and never holds content. */
const skipped = /^(lock\.db|cache\/)/;
const sweepsMax = 5;
const draftEnding = ".draft";
const unreadable = "cannot be read, so nobody knows";
const unfinishedMsMax = 30_000;
const pollMs = 100;
/** A row of these is no older than it says. */
const timeColumns: Readonly<Record<string, string>> = {
  pending: "strftime('%Y-%m-%dT%H:%M:%fZ', updated_at_ms / 1000.0, 'unixepoch')",
  alerts: "fired_at",
  alert_deliveries: "created_at",
};

/** The connection is private to this; `dataDir` may be served meanwhile. */
export async function verifyErased(
  dataDir: string,
  connection: DuckDBConnection,
  { project_id, subject, requested_at, targets }: Erasure,
): Promise<ErasedReport> {
  const asked: EraseAsked = { project_id, subject, receivedUntil: requested_at };
  const known = targets ?? { runs: [], sessions: [] };
  await fillTargets(connection, known);
  const look = new Look(dataDir, connection, asked, setsOf(known));
  const seen = new Set<string>();
  // What was moved while it was looked for is found in the next sweep.
  for (let sweep = 0; sweep < sweepsMax; sweep++) {
    const fresh = (await filesUnder(dataDir)).filter((path) => !seen.has(path));
    if (fresh.length === 0) break;
    for (const path of fresh) {
      seen.add(path);
      await look.at(path);
    }
  }
  await look.atUnfinished();
  return look.report;
}

async function filesUnder(dataDir: string): Promise<string[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dataDir.length + 1))
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !skipped.test(path)).sort();
}

class Look {
  readonly report: ErasedReport = { files: 0, bytes: 0, left: [], later: [], mentions: [] };
  #needles: Buffer[];
  /** Drafts that could not be read, and why. */
  #unfinished = new Map<string, string>();

  constructor(
    readonly dataDir: string,
    readonly connection: DuckDBConnection,
    readonly asked: EraseAsked,
    readonly sets: TargetSets,
  ) {
    this.#needles = needlesOf(asked.subject.ids);
  }

  async at(path: string): Promise<void> {
    const file = Bun.file(join(this.dataDir, path));
    if (!(await file.exists())) return;
    this.report.files++;
    this.report.bytes += file.size;
    try {
      if (/\.parquet(\.|$)/.test(path)) return await this.#parquet(path);
      const hits = await this.#hits(path);
      if (hits === 0 && !path.endsWith(".ndjson")) return;
      if (/\.ndjson(\.|$)/.test(path)) return await this.#lines(path);
      if (/\.db(-wal|-shm)?$/.test(path)) return this.#database(path, hits);
      // Files of events are kept for those that refer to them; the bytes are theirs.
      this.#found(path.startsWith("blobs/") ? "mentions" : "left", path, "bytes", hits);
    } catch (error) {
      if (await file.exists()) throw error;
    }
  }

  /** A draft that is being written is gone soon, or another file by then. */
  async atUnfinished(): Promise<void> {
    const deadline = performance.now() + unfinishedMsMax;
    for (const path of this.#unfinished.keys()) {
      const isThere = () => Bun.file(join(this.dataDir, path)).exists();
      while (await isThere() && performance.now() < deadline) await Bun.sleep(pollMs);
      const final = path.slice(0, -draftEnding.length);
      const reason = this.#unfinished.get(path)!;
      if (await isThere()) this.#found("left", path, `${unreadable}: ${reason}`, 1);
      else await this.at(final);
    }
  }

  async #parquet(path: string): Promise<void> {
    const relation = relationOf(path.replace(/\.draft$/, ""));
    const { subject, project_id } = this.asked;
    const named = relation === points ? pointsOf(subject, "9999-12-31") : isNamed(subject);
    const source = readParquet([join(this.dataDir, path)], relation);
    let row: Record<string, unknown>;
    try {
      [row] = await rowsOf(
        this.connection,
        `SELECT count(*) FILTER (${conditionOf(this.asked, relation)}) AS gone,
           count(*) FILTER (${named}) AS named
         FROM (${source}) WHERE project_id = ${textLiteral(project_id)}`,
      ) as [Record<string, unknown>];
    } catch (error) {
      if (!(await Bun.file(join(this.dataDir, path)).exists())) return;
      const reason = String(error instanceof Error ? error.message : error).split("\n", 1)[0]!;
      if (path.endsWith(".draft")) return void this.#unfinished.set(path, reason);
      return this.#found("left", path, `${unreadable}: ${reason}`, 1);
    }
    const gone = row.gone as number;
    const later = row.named as number - gone;
    this.#found("left", path, "rows", gone);
    this.#found("later", path, "rows", Math.max(later, 0));
    // A footer has least and greatest values as they are.
    if (gone === 0 && later <= 0) this.#found("mentions", path, "bytes", await this.#hits(path));
  }

  async #lines(path: string): Promise<void> {
    const { asked, sets } = this;
    const everLater: EraseAsked = { ...asked, receivedUntil: "9999-12-31T00:00:00Z" };
    const counts: Record<Kind, number> = { left: 0, later: 0, mentions: 0 };
    const text = await Bun.file(join(this.dataDir, path)).text();
    for (const line of text.split("\n")) {
      const isOurs = isLineOf(line, asked, sets);
      if (isOurs) counts.left++;
      else if (isLineOf(line, everLater, sets)) counts.later++;
      else if (this.#needles.some((needle) => line.includes(needle.toString()))) {
        counts[isOurs === null ? "left" : "mentions"]++;
      }
    }
    for (const kind of ["left", "later", "mentions"] as const) {
      this.#found(kind, path, "lines", counts[kind]);
    }
  }

  #database(path: string, hits: number): void {
    const main = path.replace(/-(wal|shm)$/, "");
    const rows = this.#rowsThatName(main);
    const isLater = rows.some(({ kind }) => kind === "later");
    if (path === main) {
      for (const { kind, table, count } of rows) this.#found(kind, path, `rows of ${table}`, count);
    }
    // Nothing names it, so the bytes are what was deleted.
    if (rows.length === 0) this.#found("left", path, "bytes outside of any row", hits);
    else if (path !== main) this.#found(isLater ? "later" : "left", path, "bytes", hits);
  }

  #rowsThatName(path: string): { kind: "left" | "later"; table: string; count: number }[] {
    const database = new Database(join(this.dataDir, path), { readonly: true });
    try {
      const tables = database.query<{ name: string }, []>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
      ).all().map(({ name }) => name);
      return tables.flatMap((table) => {
        const columns = database.query<{ name: string }, [string]>(
          "SELECT name FROM pragma_table_info(?)",
        ).all(table).map(({ name }) => name);
        const needles = this.#needles.map((needle) => needle.toString());
        const named = columns.flatMap((column) =>
          needles.map((_, at) => `instr("${column}", ?${at + 1}) > 0`)
        ).join(" OR ");
        const time = timeColumns[table];
        const after = time === undefined ? "0" : `${time} > '${this.asked.receivedUntil}'`;
        const count = database.query<{ later: number; all: number }, string[]>(
          `SELECT count(*) AS "all", coalesce(sum(${after}), 0) AS later
           FROM "${table}" WHERE ${named}`,
        ).get(...needles)!;
        return [
          { kind: "left" as const, table, count: count.all - count.later },
          { kind: "later" as const, table, count: count.later },
        ].filter((one) => one.count > 0);
      });
    } finally {
      database.close();
    }
  }

  /** How often a needle stands in the bytes of a file. */
  async #hits(path: string): Promise<number> {
    const longest = Math.max(...this.#needles.map((needle) => needle.length));
    let hits = 0;
    let rest = Buffer.alloc(0);
    for await (const chunk of Bun.file(join(this.dataDir, path)).stream()) {
      const bytes = Buffer.concat([rest, chunk]);
      for (const needle of this.#needles) {
        for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) {
          // What lies in the rest alone was counted before.
          if (at + needle.length > rest.length) hits++;
        }
      }
      rest = bytes.subarray(Math.max(0, bytes.length - longest + 1));
    }
    return hits;
  }

  #found(kind: Kind, path: string, what: string, count: number): void {
    if (count > 0) this.report[kind].push({ path, what, count });
  }
}

function needlesOf(ids: readonly string[]): Buffer[] {
  const texts = ids.flatMap((id) => {
    const quoted = JSON.stringify(id);
    return Buffer.byteLength(id) < bareBytesMin ? [quoted] : [id, quoted.slice(1, -1)];
  });
  return [...new Set(texts)].map((text) => Buffer.from(text));
}
