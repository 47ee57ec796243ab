// What is sent twice is stored once, also when both are under way at the same time: whoever comes
// second waits for the first, and stores the row itself when the first has failed.

/** The ids that are known: stored lately, or claimed by a commit that is under way. */
export interface Ids {
  /** Claims an id for a commit; false when it is stored or under way. */
  claim(project_id: string, id: string): boolean;
  /** The commit failed. */
  release(project_id: string, id: string): void;
  /** The commit is on disk. */
  remember(project_id: string, id: string): void;
  isPending(project_id: string, id: string): boolean;
  /** Resolves when it is not pending any more, whatever became of it. */
  settled(project_id: string, id: string): Promise<void>;
}

/**
 * Stores rows whose ids are new, each id once; resolves to whether each was stored, and rejects with
 * what `write` throws. `write` is given the places of the rows that it is to write, perhaps none.
 */
export async function storeOnce(
  ids: Ids,
  project_id: string,
  rowIds: readonly string[],
  write: (places: readonly number[]) => Promise<void>,
): Promise<boolean[]> {
  const stored: boolean[] = rowIds.map(() => false);
  let left = rowIds.map((_, place) => place);
  for (let round = 0;; round++) {
    const claimed: number[] = [];
    const unsure: number[] = [];
    for (const place of left) {
      const id = rowIds[place]!;
      if (ids.claim(project_id, id)) claimed.push(place);
      else if (ids.isPending(project_id, id)) unsure.push(place);
    }
    // Even with nothing to write: a disk that refuses is told.
    if (round === 0 || claimed.length > 0) {
      try {
        await write(claimed);
      } catch (error) {
        for (const place of claimed) ids.release(project_id, rowIds[place]!);
        throw error;
      }
    }
    for (const place of claimed) {
      ids.remember(project_id, rowIds[place]!);
      stored[place] = true;
    }
    // Its own are settled by now, so two that wait for one another do not wait for ever.
    for (const place of unsure) await ids.settled(project_id, rowIds[place]!);
    if (unsure.length === 0) return stored;
    left = unsure;
  }
}
