// `watchllm key create|list|revoke`. Also the way back in for whoever lost every key.
import type { Scope } from "../serve/principal.ts";
import { didYouMean } from "../std/nearest.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { chooseProject, withState } from "./open_state.ts";
import { print, say, tableText } from "./output.ts";

const scopes: readonly Scope[] = ["ingest", "read", "admin"];

/** The key alone goes to standard output, so that a script can take it. */
export async function createKey({ config, options }: Call): Promise<number> {
  const wanted = parseScopes(options.get("scope") ?? "ingest");
  const made = await withState(config, (state) => {
    const project_id = chooseProject(state, options.get("project"));
    return state.createKey({ project_id, scopes: wanted, name: options.get("name") });
  });
  if ("refused" in made) throw new Failure(made.message);
  await print(made.secret);
  say(
    `${made.key_id} may ${made.scopes.join(", ")} in project ${made.project_id}. ` +
      "The key is not shown again.",
  );
  return exitCodes.done;
}

function parseScopes(text: string): Scope[] {
  return text.split(",").map((word) => {
    const scope = scopes.find((scope) => scope === word.trim());
    if (scope !== undefined) return scope;
    const hint = didYouMean(word.trim(), scopes);
    throw new Failure(
      `--scope may hold ${scopes.join(", ")}, not "${word}".${hint}`,
      exitCodes.usage,
    );
  });
}

export async function listKeys({ config, options }: Call): Promise<number> {
  const keys = await withState(config, (state) => {
    const named = options.get("project");
    const project_id = named === undefined ? null : chooseProject(state, named);
    return Promise.resolve(
      state.keys.filter((key) => project_id === null || key.project_id === project_id),
    );
  });
  if (options.get("format") === "json") {
    await print(JSON.stringify({ keys }, null, 2));
    return exitCodes.done;
  }
  await print(tableText(
    ["key_id", "key", "project_id", "scopes", "name", "created_at", "revoked_at"],
    keys.map((key) => [
      key.key_id,
      `${key.prefix}…`,
      key.project_id,
      key.scopes.join(","),
      key.name,
      key.created_at,
      key.revoked_at ?? "",
    ]),
  ));
  return exitCodes.done;
}

export async function revokeKey({ config, arguments: words }: Call): Promise<number> {
  const [key_id = ""] = words;
  const revoked = await withState(config, (state) => state.revokeKey(key_id));
  if (revoked === null) {
    throw new Failure(`There is no key "${key_id}". See: watchllm key list`);
  }
  say(`${key_id} of project ${revoked.project_id} is revoked since ${revoked.revoked_at}.`);
  return exitCodes.done;
}
