// Who is asking, and what they may do. Routes ask `allowed`; nothing else decides.
import { Problem } from "./errors.ts";

export type Scope = "ingest" | "read" | "admin";

export interface Principal {
  /** The user of this machine, on a loopback listener: every project, every scope. */
  local: boolean;
  /** Admin implies ingest and read. */
  scopes: ReadonlySet<Scope>;
  /** Projects that the caller knows, in order of creation. */
  projects: readonly string[];
  /** Null for the local user. */
  key_id: string | null;
}

/** Hono variables that every route finds. */
export interface AppEnv {
  Variables: { principal: Principal };
}

/**
 * The project a request is about: the one it names, or the only one that the caller knows.
 * Throws 403 when the scope or the project is not theirs, 400 when it must be named.
 */
export function allowed(principal: Principal, scope: Scope, project_id?: string): string {
  if (!principal.scopes.has(scope) && !principal.scopes.has("admin")) {
    throw new Problem(403, "Forbidden", `This key may not ${scope}. Use a key with that scope.`);
  }
  if (project_id !== undefined && project_id !== "") {
    if (principal.projects.includes(project_id)) return project_id;
    // The same answer for a project that does not exist: its name is nobody else's business.
    throw new Problem(403, "Forbidden", `This key does not know the project "${project_id}".`);
  }
  const [first, ...others] = principal.projects;
  if (first === undefined) throw new Problem(404, "Not found", "There is no project yet.");
  if (others.length === 0) return first;
  throw new Problem(
    400,
    "Project required",
    "Several projects are known: name one with the project_id parameter.",
  );
}
