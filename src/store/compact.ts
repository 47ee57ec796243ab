// Which small files of the lake are worth merging. Pure.
import type { LakeFile } from "./manifest.ts";
import { relationOf } from "./relation.ts";

const filesPerMerge = 8;
/** A row is rewritten at most this often. */
const levelMax = 3;
const mergedBytesMax = 512 * 1024 * 1024;

/** The first eight or more files of one relation, project, day and level: small enough to become one. */
export function compactable(files: readonly LakeFile[]): LakeFile[] | null {
  const groups = Map.groupBy(
    files.filter((file) => file.level < levelMax),
    (file) => `${relationOf(file.path).view}/${file.project_id}/${file.date}/${file.level}`,
  );
  for (const group of groups.values()) {
    if (group.length < filesPerMerge) continue;
    let bytes = 0;
    const chosen = group.filter((file) => (bytes += file.bytes) <= mergedBytesMax);
    if (chosen.length >= filesPerMerge) return chosen;
  }
  return null;
}
