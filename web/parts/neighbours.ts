// Which run is newer and which is older than the one shown: as in the list that it was opened from.
import { signal } from "@preact/signals";
import { api, type Run } from "../api.ts";
import { useAsk } from "./ask.ts";
import { project } from "./state.ts";

export interface Neighbours {
  newer: string | null;
  older: string | null;
}

/** The list seen last, newest first; empty after a reload. */
const shown = signal<{ project_id: string; run_ids: string[] }>({ project_id: "", run_ids: [] });

export function rememberRuns(runs: readonly Run[]): void {
  shown.value = { project_id: project.value, run_ids: runs.map(({ run_id }) => run_id) };
}

/** Null where there is none, or none is known. */
export function neighboursIn(run_ids: readonly string[], run_id: string): Neighbours | null {
  const at = run_ids.indexOf(run_id);
  if (at < 0) return null;
  return { newer: run_ids[at - 1] ?? null, older: run_ids[at + 1] ?? null };
}

export function useNeighbours(run: Run | null, run_id: string): Neighbours {
  const project_id = project.value;
  const listed = shown.value.project_id === project_id
    ? neighboursIn(shown.value.run_ids, run_id)
    : null;
  // Beyond the end of the list, or without one, the server knows what came before.
  const needed = run !== null && run.run_id === run_id && (listed?.older ?? null) === null;
  const { data, key } = useAsk(
    needed ? `${project_id} ${run_id} ${run.started_at}` : null,
    (signal) => api.runs({ project_id, until: run?.started_at, limit: 1 }, signal),
  );
  const asked = key?.startsWith(`${project_id} ${run_id} `) ? data?.runs[0]?.run_id ?? null : null;
  return { newer: listed?.newer ?? null, older: listed?.older ?? asked };
}
