// Where each setting comes from: flag before environment before config file before default.
// Anything that nobody asked for (a mistyped variable or key) is a problem, never ignored.
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import {
  type Config,
  configFileEnv,
  envOf,
  envPrefix,
  flagOf,
  type Setting,
  type SettingName,
  settingNames,
  settingOf,
} from "../config.ts";
import { didYouMean } from "../std/nearest.ts";
import { parseValue } from "./value.ts";

export interface Sources {
  /** Text by flag name, without dashes; only flags of settings and `config`. */
  flags: ReadonlyMap<string, string>;
  env: Readonly<Record<string, string | undefined>>;
  /** Relative paths of flags and variables start here. */
  cwd: string;
}

export interface Origin {
  source: "flag" | "env" | "file" | "default";
  /** `--listen`, `WATCHLLM_LISTEN`, `/etc/watchllm.json: listen`, `default`. */
  name: string;
}

export interface ConfigProblem {
  source: Origin["source"];
  /** A sentence that says what to change. */
  message: string;
}

export type Loaded =
  | { config: Config; origins: Record<SettingName, Origin> }
  | { problems: ConfigProblem[] };

/** A value before it is understood. */
interface Found {
  text: string;
  origin: Origin;
  folder: string;
}

const fileBytesMax = 1024 * 1024;

export function loadConfig(sources: Sources): Loaded {
  const problems: ConfigProblem[] = unknownVariables(sources.env);
  const file = readConfigFile(sources, problems);
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const name of settingNames) {
    const setting = settingOf(name);
    const before = problems.length;
    const found = findFlag(name, setting, sources, problems) ??
      findVariable(name, setting, sources, problems) ??
      findKey(name, setting, file, problems);
    // A default would hide that the value which was meant cannot be had.
    if (problems.length > before) continue;
    origins[name] = found?.origin ?? { source: "default", name: "default" };
    const text = found?.text ?? setting.default;
    if (text === null) {
      values[name] = null;
      continue;
    }
    const parsed = parseValue(setting, text, found?.folder ?? sources.cwd);
    if ("value" in parsed) values[name] = parsed.value;
    else problems.push(problemOf(origins[name], setting, text, parsed.problem));
  }
  if (problems.length > 0) return { problems };
  values.cache_dir ??= join(String(values.data_dir), "cache");
  return { config: values as Config, origins: origins as Record<SettingName, Origin> };
}

function problemOf(origin: Origin, setting: Setting, text: string, problem: string): ConfigProblem {
  const shown = setting.secret === true ? "" : ` (it is ${JSON.stringify(text.slice(0, 200))})`;
  return { source: origin.source, message: `${origin.name} ${problem}${shown}.` };
}

function findFlag(
  name: SettingName,
  setting: Setting,
  { flags, cwd }: Sources,
  problems: ConfigProblem[],
): Found | null {
  const read = (flag: string) => {
    const text = flags.get(flag);
    const origin: Origin = { source: "flag", name: `--${flag}` };
    return text === undefined ? null : { text, origin, folder: cwd };
  };
  return choose(setting, read(flagOf(name)), read(`${flagOf(name)}-file`), problems);
}

function findVariable(
  name: SettingName,
  setting: Setting,
  { env, cwd }: Sources,
  problems: ConfigProblem[],
): Found | null {
  const read = (variable: string) => {
    // Compose files and shells pass an empty text for what nobody set.
    const text = env[variable]?.trim() || undefined;
    const origin: Origin = { source: "env", name: variable };
    return text === undefined ? null : { text, origin, folder: cwd };
  };
  const own = choose(setting, read(envOf(name)), read(`${envOf(name)}_FILE`), problems);
  if (own !== null) return own;
  return (setting.aliases ?? []).map(read).find((found) => found !== null) ?? null;
}

function findKey(
  name: SettingName,
  setting: Setting,
  file: ConfigFile | null,
  problems: ConfigProblem[],
): Found | null {
  const read = (key: string) => {
    const value = file?.values[key];
    if (file === null || value === undefined || value === null) return null;
    const origin: Origin = { source: "file", name: `${file.path}: ${key}` };
    const text = Array.isArray(value) ? value.join(",") : value;
    if (typeof text !== "object") return { text: String(text), origin, folder: dirname(file.path) };
    problems.push({ source: "file", message: `${origin.name} must not be an object.` });
    return null;
  };
  const direct = read(name);
  return choose(setting, direct, setting.secret === true ? read(`${name}_file`) : null, problems);
}

/** The value itself or, for a secret, what its file holds. */
function choose(
  setting: Setting,
  direct: Found | null,
  inFile: Found | null,
  problems: ConfigProblem[],
): Found | null {
  if (setting.secret !== true || inFile === null) return direct;
  const { origin, folder } = inFile;
  if (direct !== null) {
    const message = `${direct.origin.name} and ${origin.name} are both given; keep one.`;
    problems.push({ source: origin.source, message });
    return null;
  }
  try {
    const text = readBounded(resolve(folder, inFile.text)).trim();
    if (text === "") throw new Error("it is empty");
    return { text, origin, folder };
  } catch (error) {
    const message = `${origin.name} names ${inFile.text}, which cannot be used: ${
      reasonOf(error)
    }.`;
    problems.push({ source: origin.source, message });
    return null;
  }
}

interface ConfigFile {
  path: string;
  values: Record<string, unknown>;
}

function readConfigFile(
  { flags, env, cwd }: Sources,
  problems: ConfigProblem[],
): ConfigFile | null {
  const named = flags.get("config") ?? (env[configFileEnv] || undefined);
  // No file is looked for: a folder that one happens to stand in must not decide.
  if (named === undefined) return null;
  const path = resolve(cwd, named);
  const refuse = (reason: string) => {
    problems.push({ source: "file", message: `Config file ${path} ${reason}.` });
    return null;
  };
  let values: unknown;
  try {
    values = JSON.parse(readBounded(path));
  } catch (error) {
    return refuse(
      error instanceof SyntaxError
        ? `is no JSON: ${error.message}`
        : `cannot be read: ${reasonOf(error)}`,
    );
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    return refuse("must hold one JSON object");
  }
  const known = [...keysOfFile(), "$schema"];
  for (const key of Object.keys(values)) {
    if (known.includes(key)) continue;
    const message = `Unknown key "${key}" in ${path}.${didYouMean(key, known)}`;
    problems.push({ source: "file", message });
  }
  // Without a prototype: `constructor` is no setting that somebody gave.
  return { path, values: Object.assign(Object.create(null), values) };
}

function keysOfFile(): string[] {
  return settingNames.flatMap((name) => settingOf(name).secret ? [name, `${name}_file`] : [name]);
}

/** Every variable that is understood. */
export function knownVariables(): string[] {
  return [configFileEnv, ...keysOfFile().map(envOf)];
}

/** What other programs would call it. */
const otherNames: Readonly<Record<string, string>> = {
  WATCHLLM_PORT: "WATCHLLM_LISTEN",
  WATCHLLM_HOST: "WATCHLLM_LISTEN",
  WATCHLLM_ADDR: "WATCHLLM_LISTEN",
  WATCHLLM_ADDRESS: "WATCHLLM_LISTEN",
  WATCHLLM_BIND: "WATCHLLM_LISTEN",
  WATCHLLM_DATA: "WATCHLLM_DATA_DIR",
  WATCHLLM_API_KEY: "WATCHLLM_INIT_KEY",
  WATCHLLM_KEY: "WATCHLLM_INIT_KEY",
  WATCHLLM_PROJECT: "WATCHLLM_INIT_PROJECT",
};

function unknownVariables(env: Sources["env"]): ConfigProblem[] {
  const known = knownVariables();
  const problems: ConfigProblem[] = [];
  for (const [name, text = ""] of Object.entries(env)) {
    if (!name.startsWith(envPrefix) || known.includes(name) || isServiceLink(name, text)) continue;
    const other = otherNames[name];
    const hint = other === undefined ? didYouMean(name, known) : ` Did you mean ${other}?`;
    problems.push({ source: "env", message: `Unknown variable ${name}.${hint}` });
  }
  return problems;
}

/**
 * Kubernetes tells every pod about a service named "watchllm" in variables that nobody wrote.
 */
function isServiceLink(name: string, text: string): boolean {
  if (/^WATCHLLM_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name)) return true;
  return name === "WATCHLLM_PORT"
    ? /^(tcp|udp|sctp):\/\//.test(text)
    : /^WATCHLLM_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name);
}

function readBounded(path: string): string {
  const { size } = statSync(path);
  if (size > fileBytesMax) throw new Error(`it is larger than ${fileBytesMax} bytes`);
  return readFileSync(path, "utf8");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
