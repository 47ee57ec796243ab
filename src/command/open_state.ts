// The state for commands that change it beside a running server, which notices within a second.
import type { Config } from "../config.ts";
import { DataDirError, prepareDataDir } from "../store/lock.ts";
import { openState, type State, statePath } from "../store/state.ts";
import { StateError } from "../store/state/database.ts";
import { exitCodes, Failure } from "./command.ts";

/** Closes the state whatever becomes of the work. */
export async function withState<T>(
  config: Pick<Config, "data_dir" | "database_url">,
  work: (state: State) => Promise<T>,
): Promise<T> {
  let state: State;
  try {
    prepareDataDir(config.data_dir);
    state = await openState(statePath(config));
  } catch (error) {
    if (error instanceof DataDirError || error instanceof StateError) {
      throw new Failure(error.message);
    }
    throw error;
  }
  try {
    return await work(state);
  } finally {
    await state.close();
  }
}

/** The project that was named, or the only one there is. */
export function chooseProject(state: State, named: string | undefined): string {
  const ids = state.projects.map(({ project_id }) => project_id);
  if (named !== undefined) {
    if (ids.includes(named)) return named;
    throw new Failure(
      `There is no project "${named}". Create it: watchllm project create ${named}`,
    );
  }
  const [first, ...others] = ids;
  if (first === undefined) {
    throw new Failure("There is no project yet. Create one: watchllm project create <project_id>");
  }
  if (others.length === 0) return first;
  throw new Failure(`Name the --project: ${ids.slice(0, 20).join(", ")}.`, exitCodes.usage);
}
