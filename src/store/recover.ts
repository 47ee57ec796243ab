// What a crash or a failing disk left in the log folder → sealed segments, and a report.
// Every whole commit is kept. Bytes that are not part of one go to the quarantine folder.
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "./durable.ts";
import { scanSegment, type Segment, sequenceOf, type Span } from "./segment.ts";

export interface Recovery {
  /** Segments whose events are not in the lake, oldest first. */
  segments: Segment[];
  nextSequence: number;
  /** A write that the crash cut short; nothing in it was acknowledged. */
  tornBytes: number;
  /** Acknowledged bytes that the disk spoiled, kept under `quarantine/`. */
  damage: { segment: string; bytes: number; quarantined: string }[];
}

/**
 * Makes the log folder clean: files that are in the lake already are deleted, the rest consists
 * of whole commits afterwards. `flushedThrough` is the last sequence that the manifest counts in.
 */
export async function recoverLog(
  folder: string,
  quarantine: string,
  flushedThrough: number,
): Promise<Recovery> {
  await mkdir(folder, { recursive: true });
  const recovery: Recovery = {
    segments: [],
    nextSequence: flushedThrough + 1,
    tornBytes: 0,
    damage: [],
  };
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    const sequence = sequenceOf(name);
    if (sequence === null) {
      if (name.endsWith(".draft")) await rm(path);
      continue;
    }
    recovery.nextSequence = Math.max(recovery.nextSequence, sequence + 1);
    if (sequence <= flushedThrough) await rm(path);
    else await recoverSegment({ sequence, path, name, quarantine }, recovery);
  }
  return recovery;
}

async function recoverSegment(
  file: { sequence: number; path: string; name: string; quarantine: string },
  recovery: Recovery,
): Promise<void> {
  const { sequence, path, name, quarantine } = file;
  const bytes = await readFile(path);
  const scan = scanSegment(bytes);
  if (scan.torn !== null) recovery.tornBytes += length(scan.torn);
  if (scan.damaged.length > 0) {
    await mkdir(quarantine, { recursive: true });
    const copy = join(quarantine, name);
    await writeDurably(copy, bytes);
    const spoiled = scan.damaged.reduce((sum, span) => sum + length(span), 0);
    recovery.damage.push({ segment: name, bytes: spoiled, quarantined: copy });
  }
  if (scan.good.length === 0) {
    await rm(path);
    return;
  }
  const good = scan.good.reduce((sum, span) => sum + length(span), 0);
  if (good !== bytes.length) {
    const draft = `${path}.draft`;
    await writeDurably(draft, Buffer.concat(scan.good.map((s) => bytes.subarray(s.start, s.end))));
    await rename(draft, path); // The old file stays whole until the new one is on disk.
  }
  const { events, points } = scan;
  recovery.segments.push({ sequence, path, bytes: good, events, points });
}

function length(span: Span): number {
  return span.end - span.start;
}
