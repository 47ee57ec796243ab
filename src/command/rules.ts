// `watchllm rules apply|export`: alert rules as a file, through the API of a running server.
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { type Rule, ruleSchema, ruleShape } from "../alert/rule.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { localUrl } from "./healthcheck.ts";
import { print, say } from "./output.ts";

const fileBytesMax = 1024 * 1024;
const rulesMax = 5000;
const timeoutMs = 30_000;

interface Server {
  url: string;
  key: string | null;
  project: string | null;
}

type Known = Rule & { id: string };

interface Channel {
  id: string;
  name: string;
}

type Change =
  | { kind: "add"; rule: Rule }
  | { kind: "change"; id: string; rule: Rule; before: Rule }
  | { kind: "remove"; id: string; rule: Rule };

const fields = Object.keys(ruleShape) as (keyof Rule)[];

export async function apply({ arguments: [path = ""], options, config }: Call): Promise<number> {
  const server = serverOf(options, config);
  const given = readRules(path);
  const [{ rules }, { channels }] = await Promise.all([
    ask<{ rules: Known[] }>(server, "GET", "/api/rules"),
    ask<{ channels: Channel[] }>(server, "GET", "/api/channels"),
  ]);
  const wanted = given.map((rule, at) => parseRule(rule, at, channels));
  const changes = difference(rules, wanted, options.get("delete") === "true");
  const names = new Map(channels.map(({ id, name }) => [id, name]));
  for (const change of changes) await print(changeText(change, names));
  const same = rules.length - changes.filter(({ kind }) => kind !== "add").length;
  say(`${changes.length} changes; ${same} rules stay as they are.`);
  if (changes.length === 0) return exitCodes.done;
  if (options.get("yes") !== "true" && !confirmed()) {
    say("Nothing was changed. Give --yes to apply.");
    return exitCodes.failed;
  }
  for (const change of changes) await make(server, change);
  say("Applied.");
  return exitCodes.done;
}

export async function exportRules({ options, config }: Call): Promise<number> {
  const server = serverOf(options, config);
  const [{ rules }, { channels }] = await Promise.all([
    ask<{ rules: Known[] }>(server, "GET", "/api/rules"),
    ask<{ channels: Channel[] }>(server, "GET", "/api/channels"),
  ]);
  const names = new Map(channels.map(({ id, name }) => [id, name]));
  const told = rules.map((rule) => ({
    ...onlyFields(rule),
    channels: rule.channels.map((id) => names.get(id) ?? id),
  }));
  await print(Bun.YAML.stringify({ rules: told }, null, 2));
  return exitCodes.done;
}

function readRules(path: string): unknown[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}.`);
  }
  if (text.length > fileBytesMax) throw new Failure(`${path} has more than ${fileBytesMax} bytes.`);
  let value: unknown;
  try {
    value = Bun.YAML.parse(text);
  } catch (error) {
    throw new Failure(`${path} is no YAML: ${(error as Error).message}.`);
  }
  const rules = (value as { rules?: unknown } | null)?.rules;
  if (!Array.isArray(rules)) throw new Failure(`${path} needs \`rules\`, a list.`);
  const others = Object.keys(value as object).filter((name) => name !== "rules");
  if (others.length > 0) throw new Failure(`${path} has an unknown key "${others[0]}".`);
  if (rules.length > rulesMax) throw new Failure(`${path} has more than ${rulesMax} rules.`);
  return rules;
}

/** Throws a Failure that names the rule and the field. */
function parseRule(value: unknown, at: number, channels: readonly Channel[]): Rule {
  const result = ruleSchema.safeParse(value);
  const name = (value as { name?: unknown } | null)?.name;
  const which = typeof name === "string" ? `Rule "${name}"` : `Rule ${at + 1}`;
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new Failure(`${which}: ${issue?.path.join(".") || "rule"}: ${issue?.message}.`);
  }
  const idOf = (named: string) => {
    const found = channels.filter(({ id, name }) => id === named || name === named);
    if (found.length === 1) return found[0]!.id;
    const problem = found.length === 0 ? "There is no channel" : "Several channels are called";
    throw new Failure(`${which}: ${problem} "${named}".`);
  };
  const { runbook } = result.data;
  return {
    ...result.data,
    channels: result.data.channels.map(idOf),
    ...runbook === undefined ? {} : {
      runbook: {
        ...runbook,
        actions: runbook.actions.map((action) =>
          "channel" in action ? { ...action, channel: idOf(action.channel) } : action
        ),
      },
    },
  };
}

function difference(known: readonly Known[], wanted: readonly Rule[], removes: boolean): Change[] {
  const byName = new Map<string, Known>();
  for (const rule of known) {
    if (byName.has(rule.name) && wanted.some(({ name }) => name === rule.name)) {
      throw new Failure(`The project has several rules called "${rule.name}"; rename one of them.`);
    }
    byName.set(rule.name, rule);
  }
  const names = new Set<string>();
  const changes: Change[] = [];
  for (const rule of wanted) {
    if (names.has(rule.name)) throw new Failure(`The file has "${rule.name}" twice.`);
    names.add(rule.name);
    const before = byName.get(rule.name);
    if (before === undefined) {
      changes.push({ kind: "add", rule });
      continue;
    }
    // A snooze is a person's, for now; a file that says nothing of it does not end it.
    const after = rule.snoozed_until === null
      ? { ...rule, snoozed_until: before.snoozed_until }
      : rule;
    if (isDeepStrictEqual(onlyFields(before), onlyFields(after))) continue;
    changes.push({ kind: "change", id: before.id, rule: after, before });
  }
  if (!removes) return changes;
  const gone = known.filter(({ name }) => !names.has(name));
  return [...changes, ...gone.map((rule) => ({ kind: "remove" as const, id: rule.id, rule }))];
}

/** As JSON has it: what is undefined is not there. */
function onlyFields(rule: Rule): Record<string, unknown> {
  return JSON.parse(JSON.stringify(
    Object.fromEntries(fields.map((field) => [field, rule[field]])),
  ));
}

function changeText(change: Change, names: ReadonlyMap<string, string>): string {
  const { kind, rule } = change;
  if (kind === "add") return `+ ${rule.name}`;
  if (kind === "remove") return `- ${rule.name}`;
  const before = onlyFields(change.before);
  const after = onlyFields(rule);
  const told = (value: unknown) => {
    let text = JSON.stringify(value) ?? "not set";
    for (const [id, name] of names) text = text.replaceAll(id, name);
    return text;
  };
  const lines = fields.filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .map((field) => `    ${field}: ${told(before[field])} → ${told(after[field])}`);
  return [`~ ${rule.name}`, ...lines].join("\n");
}

function confirmed(): boolean {
  if (!process.stdin.isTTY) return false;
  return /^y(es)?$/i.test(prompt("Apply? [y/N]")?.trim() ?? "");
}

async function make(server: Server, change: Change): Promise<void> {
  const path = (id: string) => `/api/rules/${encodeURIComponent(id)}`;
  switch (change.kind) {
    case "add": {
      const project = server.project === null ? {} : { project_id: server.project };
      return await ask(server, "POST", "/api/rules", { ...change.rule, ...project });
    }
    case "change":
      return await ask(server, "PUT", path(change.id), change.rule);
    case "remove":
      return await ask(server, "DELETE", path(change.id));
  }
}

function serverOf(options: Call["options"], config: Call["config"]): Server {
  const url = (options.get("url") ?? localUrl(config)).replace(/\/+$/, "");
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new Failure("--url must be an address such as http://127.0.0.1:4318.", exitCodes.usage);
  }
  // The key of the server's own settings stays on this machine.
  const key = options.get("key") ?? (options.has("url") ? null : config.init_key);
  return { url, key, project: options.get("project") ?? null };
}

async function ask<T>(
  { url, key, project }: Server,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const isList = method === "GET" && project !== null;
  const query = isList ? `?project_id=${encodeURIComponent(project)}` : "";
  let response: Response;
  try {
    response = await fetch(url + path + query, {
      method,
      headers: {
        "content-type": "application/json",
        ...key === null ? {} : { authorization: `Bearer ${key}` },
      },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw new Failure(
      `${url} does not answer (${
        (error as Error).message
      }). Start the server, or name it with --url.`,
    );
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  const hint = response.status === 401 ? " Give an admin key with --key." : "";
  throw new Failure(`${method} ${path} answers ${response.status}: ${detailOf(text)}${hint}`);
}

function detailOf(text: string): string {
  try {
    return String((JSON.parse(text) as { detail?: unknown }).detail);
  } catch {
    return text.slice(0, 200);
  }
}
