// The data directory as another process sees it, whether a server runs on it or not.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Manifest } from "./manifest.ts";
import { scanSegment, type Segment, sequenceOf } from "./segment.ts";
import { folders } from "./store.ts";

export interface OfflineLake {
  /** Absolute paths of the Parquet files that count. */
  files: string[];
  /** Log segments that are not in those files; only the first `bytes` of each count. */
  segments: Segment[];
  projects: string[];
  /** Deletes what was copied. */
  close(): Promise<void>;
}

const attemptsMax = 10;

/**
 * One consistent view of the directory. The server may move events from the log to the lake at the
 * same time, so the log is copied first and the manifest is looked at again after that.
 * Throws when the directory holds no data, or changes faster than it can be read.
 */
export async function openLakeReadOnly(
  dataDir: string,
  temporaryDir: string,
): Promise<OfflineLake> {
  const path = join(dataDir, folders.manifest);
  const known = await stat(path).then(() => true, () => false);
  if (!known) throw new Error(`${dataDir} holds no WatchLLM data. Name it with --data-dir.`);
  const copies = await mkdtemp(join(temporaryDir, "watchllm-log-"));
  const close = () => rm(copies, { recursive: true, force: true });
  const manifest = new Manifest(path, { readonly: true });
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const version = manifest.version();
      const files = manifest.files();
      const segments = await copyLog(join(dataDir, folders.log), manifest.flushedThrough(), copies);
      if (segments === null || manifest.version() !== version) continue;
      return {
        files: files.map((file) => join(dataDir, file.path)),
        segments,
        projects: [...new Set(files.map((file) => file.project_id))],
        close,
      };
    }
    throw new Error(`${dataDir} changes faster than it can be read; try again.`);
  } catch (error) {
    await close();
    throw error;
  } finally {
    manifest.close();
  }
}

/** Null when a segment vanished: it is in the lake now. */
async function copyLog(
  folder: string,
  flushedThrough: number,
  copies: string,
): Promise<Segment[] | null> {
  const segments: Segment[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const sequence = sequenceOf(name);
    if (sequence === null || sequence <= flushedThrough) continue;
    const bytes = await readFile(join(folder, name)).catch(() => null);
    if (bytes === null) return null;
    const { good, events, points } = scanSegment(bytes);
    if (good.length === 0) continue;
    const whole = Buffer.concat(good.map((span) => bytes.subarray(span.start, span.end)));
    const path = join(copies, name);
    await writeFile(path, whole, { mode: 0o600 });
    segments.push({ sequence, path, bytes: whole.length, events, points });
  }
  return segments;
}
