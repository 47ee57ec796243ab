// Files that survive a power cut: written, synced, renamed, and the folder synced too.
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file that is on disk, under its name, when this resolves. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "w", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncPath(dirname(path));
}

/** Gives a finished draft its final name; readers see all of it or nothing. */
export async function publishDurably(draft: string, final: string): Promise<void> {
  await syncPath(draft);
  await rename(draft, final);
  await syncPath(dirname(final));
}

/** Makes the entries of new folders survive a power cut, from `folder` up to `root`. */
export async function syncFolders(folder: string, root: string): Promise<void> {
  for (let at = folder; at.length >= root.length; at = dirname(at)) await syncPath(at);
}
