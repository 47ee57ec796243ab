// `watchllm demo`: fills a project with the made-up events of src/demo, through the public API.
import { demoEvents } from "../demo/events.ts";
import { isProjectId, projectIdRule } from "../config/value.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { localUrl } from "./healthcheck.ts";
import { say } from "./output.ts";

/** How a server is reached: without a key, the local user of its own machine. */
interface Access {
  url: string;
  key: string | null;
}

const batchEvents = 250;
const timeoutMs = 30_000;
const triesMax = 5;
const retryMsMax = 10_000;

export async function run({ config, options }: Call): Promise<number> {
  const url = (options.get("url") ?? localUrl(config)).replace(/\/+$/, "");
  const project_id = options.get("project") ?? "demo";
  const seed = Number(options.get("seed") ?? "1");
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new Failure("--url must be an address such as http://127.0.0.1:4318.", exitCodes.usage);
  }
  if (!isProjectId(project_id)) {
    throw new Failure(`--project ${projectIdRule}.`, exitCodes.usage);
  }
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new Failure("--seed must be a whole number from 0 to 4294967295.", exitCodes.usage);
  }
  // The key of the server's own settings, if it was started with them; it stays on this machine.
  const key = options.get("key") ?? (options.has("url") ? null : config.init_key);
  const access = await prepareProject({ url, key }, project_id);
  const events = demoEvents(seed, Date.now());
  const total = { accepted: 0, duplicates: 0, rejected: 0 };
  for (let at = 0; at < events.length; at += batchEvents) {
    const receipt = await send(access, project_id, events.slice(at, at + batchEvents));
    total.accepted += receipt.accepted;
    total.duplicates += receipt.duplicates;
    total.rejected += receipt.rejected.length;
    const [first] = receipt.rejected;
    if (first !== undefined) say(`rejected: ${first.event_id}: ${first.message}`);
  }
  const { accepted, duplicates, rejected } = total;
  const known = duplicates > 0 ? `, ${duplicates} were there already` : "";
  say(`${accepted} events sent to project ${project_id}${known}. See them: ${url}`);
  if (rejected > 0) throw new Failure(`${rejected} events were rejected.`);
  return exitCodes.done;
}

/** Creates the project unless it is there, and returns how it is written to. */
async function prepareProject(access: Access, project_id: string): Promise<Access> {
  const { projects } = await ask<{ projects: { project_id: string }[] }>(access, "/api/projects");
  if (projects.some((project) => project.project_id === project_id)) return access;
  const body = {
    project_id,
    name: "Demo",
    // A key opens one project only: the new one needs another.
    key_scopes: access.key === null ? null : ["ingest", "read"],
  };
  const made = await ask<{ key: { key: string } | null }>(access, "/api/projects", body);
  if (made.key === null) return access;
  say(`Project ${project_id} was created. Its key, shown only now: ${made.key.key}`);
  return { ...access, key: made.key.key };
}

interface Receipt {
  accepted: number;
  duplicates: number;
  rejected: { event_id: string | null; message: string }[];
}

function send(access: Access, project_id: string, events: unknown[]): Promise<Receipt> {
  return ask<Receipt>(access, `/v1/projects/${project_id}/events`, { events });
}

/** GET, or POST when there is a body; waits when the server says that it is busy. */
async function ask<T>({ url, key }: Access, path: string, body?: unknown): Promise<T> {
  for (let attempt = 1;; attempt++) {
    let response: Response;
    try {
      response = await fetch(url + path, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          "content-type": "application/json",
          ...key === null ? {} : { authorization: `Bearer ${key}` },
        },
        ...body === undefined ? {} : { body: JSON.stringify(body) },
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Failure(
        `${url} does not answer (${reason}). Start the server (watchllm serve), or name it with --url.`,
      );
    }
    const busy = response.status === 429 || response.status === 503;
    if (busy && attempt < triesMax) {
      await response.body?.cancel();
      const seconds = Number(response.headers.get("retry-after")) || 1;
      await Bun.sleep(Math.min(seconds * 1000, retryMsMax));
      continue;
    }
    const text = await response.text();
    if (response.ok) return JSON.parse(text) as T;
    throw new Failure(explain(url, path, response.status, text));
  }
}

function explain(url: string, path: string, status: number, text: string): string {
  const hint = status === 401
    ? " Give an admin key with --key."
    : status === 409
    ? " Give a key of that project with --key, or choose another with --project."
    : "";
  return `${url}${path} answers ${status}: ${detailOf(text) ?? text.slice(0, 200)}${hint}`;
}

/** Of a problem document. */
function detailOf(text: string): string | null {
  try {
    const { detail } = JSON.parse(text);
    return typeof detail === "string" ? detail : null;
  } catch {
    return null;
  }
}
