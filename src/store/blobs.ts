// Files that were moved out of events: stored once for each project, under the name of their content.
import { mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { publishDurably, syncFolders, writeDurably } from "./durable.ts";
import { AppendError } from "./log.ts";

export const blobsFolder = "blobs";

/** Path of a blob below the data directory; folders of 256, so that none grows large. */
export function blobPath(project_id: string, sha256: string): string {
  return join(blobsFolder, `project_id=${project_id}`, sha256.slice(0, 2), sha256);
}

/** Writes what is not there yet; on disk when it resolves. Throws AppendError. */
export async function keepBlobs(
  dataDir: string,
  project_id: string,
  blobs: readonly { sha256: string; bytes: Uint8Array }[],
): Promise<void> {
  for (const { sha256, bytes } of blobs) {
    const path = join(dataDir, blobPath(project_id, sha256));
    const draft = `${path}.${Bun.randomUUIDv7()}.draft`;
    if (await stat(path).then(() => true, () => false)) continue;
    try {
      const made = await mkdir(dirname(path), { recursive: true });
      if (made !== undefined) await syncFolders(dirname(path), dataDir);
      await writeDurably(draft, bytes);
      await publishDurably(draft, path);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      const { code = "", message } = error as NodeJS.ErrnoException;
      throw new AppendError(code, `Cannot keep the file ${sha256}: ${message}`);
    }
  }
}
