// What a start makes of an empty data directory: a project, its key, and words to a newcomer.
import { type Config, settings } from "../config.ts";
import { build } from "../embedded.ts";
import type { State } from "../store/state.ts";
import { exitCodes, Failure } from "./command.ts";

const defaultProject = "default";
const standardUrl = `http://${settings.listen.default}`;

export interface Initial {
  project_id: string;
  /** Not there before this start. */
  isNew: boolean;
  /** The key of the settings was revoked, and stays so. */
  keyRevoked: boolean;
}

/**
 * Creates what WATCHLLM_INIT_PROJECT and WATCHLLM_INIT_KEY name and, without them, the first
 * project. Repeated at every start; what is there already stays as it is. Null when the settings
 * name nothing and there are projects.
 */
export async function initialise(
  state: State,
  { init_project, init_key }: Pick<Config, "init_project" | "init_key">,
): Promise<Initial | null> {
  const nothingAsked = init_project === null && init_key === null;
  if (nothingAsked && state.projects.some(({ project_id }) => project_id !== defaultProject)) {
    return null;
  }
  const project_id = init_project ?? defaultProject;
  const isNew = state.project(project_id) === null;
  if (isNew) {
    const made = await state.createProject(project_id);
    if ("refused" in made) throw new Failure(made.message, exitCodes.config);
  }
  const keyRevoked = init_key !== null && !await keepKey(state, project_id, init_key);
  return { project_id, isNew, keyRevoked };
}

/** False when the key was revoked: a revocation outlives every restart. */
async function keepKey(state: State, project_id: string, secret: string): Promise<boolean> {
  const known = state.anyKeyOf(secret);
  if (known === null) {
    const name = "WATCHLLM_INIT_KEY";
    const made = await state.createKey({ project_id, scopes: ["admin"], name, secret });
    if ("refused" in made) throw new Failure(made.message, exitCodes.config);
    return true;
  }
  if (known.project_id === project_id) return known.revoked_at === null;
  throw new Failure(
    `WATCHLLM_INIT_KEY is the key of project "${known.project_id}" already, and cannot open ` +
      `"${project_id}" too. Give each project a key of its own.`,
    exitCodes.config,
  );
}

/**
 * The first key of a project that never had one; null when it had. Made once the server listens,
 * because it is shown only once: a start that fails must not lose it.
 */
export async function firstKey(state: State, project_id: string): Promise<string | null> {
  if (state.keys.some((key) => key.project_id === project_id)) return null;
  const made = await state.createKey({ project_id, scopes: ["admin"], name: "first start" });
  return "refused" in made ? null : made.secret;
}

export interface Greeting {
  url: string;
  dataDir: string;
  project_id: string;
  /** Null when it came from the settings: whoever set it knows it. */
  secret: string | null;
}

export function greetingText({ url, dataDir, project_id, secret }: Greeting): string {
  const key = secret ?? "$WATCHLLM_INIT_KEY";
  const dsn = `${url.replace("://", `://${key}@`)}/${project_id}`;
  const event = '{"event_type":"prompt_call","model":"gpt-5","prompt":"Hello","response":"Hi!"}';
  return [
    `WatchLLM ${build.version}`,
    "",
    `  Data directory  ${dataDir}`,
    `  Page            ${url}`,
    `  Project         ${project_id}`,
    `  API key         ${
      secret === null ? "the one of WATCHLLM_INIT_KEY" : `${secret}  (shown only now)`
    }`,
    "",
    "Send a first event:",
    "",
    `  curl ${url}/v1/events -H "authorization: Bearer ${key}" \\`,
    `    -H 'content-type: application/json' -d '${event}'`,
    "",
    "Or from your program, with the package aisentry:",
    "",
    `  export AISENTRY_DSN="${dsn}"`,
    "",
    '  import * as aisentry from "aisentry";          // JavaScript',
    "  aisentry.init();",
    '  aisentry.logPromptCall({ model: "gpt-5", prompt: "Hello", response: "Hi!" });',
    "",
    "  import aisentry                                # Python",
    "  aisentry.init()",
    '  aisentry.log_prompt_call(model="gpt-5", prompt="Hello", response="Hi!")',
    "",
    `Or fill a project with examples: watchllm demo${url === standardUrl ? "" : ` --url ${url}`}`,
  ].join("\n");
}
