// `watchllm project create|list`.
import { type Call, exitCodes, Failure } from "./command.ts";
import { withState } from "./open_state.ts";
import { print, say, tableText } from "./output.ts";

export async function createProject({ config, arguments: words, options }: Call): Promise<number> {
  const [project_id = ""] = words;
  const made = await withState(
    config,
    (state) => state.createProject(project_id, options.get("name")),
  );
  if ("refused" in made) {
    const code = made.refused === "invalid_project_id" ? exitCodes.usage : exitCodes.failed;
    throw new Failure(made.message, code);
  }
  await print(made.project_id);
  say(`Give it a key: watchllm key create --project ${made.project_id}`);
  return exitCodes.done;
}

export async function listProjects({ config, options }: Call): Promise<number> {
  const projects = await withState(config, (state) => Promise.resolve(state.projects));
  if (options.get("format") === "json") {
    await print(JSON.stringify({ projects }, null, 2));
    return exitCodes.done;
  }
  const rows = projects.map(({ project_id, name, created_at }) => [project_id, name, created_at]);
  await print(tableText(["project_id", "name", "created_at"], rows));
  return exitCodes.done;
}
