// One setting's text → its value. Knows nothing of where the text came from.
import { resolve } from "node:path";
import { type Address, addressText, type Kind, type Setting } from "../config.ts";

/** Bad input is a value: `problem` completes the sentence "<name> …". */
export type Parsed = { value: unknown } | { problem: string };

/** `folder` is what a relative path starts from. */
export function parseValue(setting: Setting, text: string, folder: string): Parsed {
  return parsers[setting.kind](text, setting, folder);
}

/** As a person would write it. */
export function valueText(kind: Kind, value: unknown): string {
  if (value === null) return "";
  if (kind === "address") return addressText(value as Address);
  if (kind === "bytes") return bytesText(value as number);
  return Array.isArray(value) ? value.join(",") : String(value);
}

type Parser = (text: string, setting: Setting, folder: string) => Parsed;

const parsers: Readonly<Record<Kind, Parser>> = {
  address: (text) => parseAddress(text),
  path: (text, _setting, folder) => {
    if (text.includes("\0")) return { problem: "holds a NUL character" };
    return text === "" ? { problem: "needs a path" } : { value: resolve(folder, text) };
  },
  text: (text, { min = 0, max = 4096 }) => {
    // A header and a web address must be able to carry it.
    if (/\p{Cc}/u.test(text)) return { problem: "holds a control character" };
    if (text !== text.trim()) return { problem: "begins or ends with a space" };
    if (text.length < min) return { problem: `is shorter than ${min} characters` };
    return text.length > max ? { problem: `is longer than ${max} characters` } : { value: text };
  },
  id: (text) => isProjectId(text) ? { value: text } : { problem: projectIdRule },
  choice: (text, { values = [] }) => {
    const value = values.find((value) => value === text.toLowerCase());
    return value === undefined ? { problem: `must be one of ${values.join(", ")}` } : { value };
  },
  integer: (text, setting) =>
    /^[+-]?\d+$/.test(text)
      ? bounded(Number(text), setting)
      : { problem: "must be a whole number" },
  number: (text, setting) =>
    /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)
      ? bounded(Number(text), setting)
      : { problem: "must be a number" },
  boolean: (text) => {
    const word = text.toLowerCase();
    if (["true", "on", "yes", "1"].includes(word)) return { value: true };
    if (["false", "off", "no", "0"].includes(word)) return { value: false };
    return { problem: "must be true or false" };
  },
  bytes: (text, setting) => {
    const bytes = parseBytes(text);
    return bytes === null
      ? { problem: "must be a number of bytes, such as 64MiB" }
      : bounded(bytes, setting, bytesText);
  },
  memory: (text) => {
    const bytes = parseBytes(text);
    if (bytes === null || !/[a-z]$/i.test(text)) {
      return { problem: "must be an amount of memory with its unit, such as 1GB or 512MiB" };
    }
    // DuckDB cannot hold a single block per thread in less.
    if (bytes < 64 * 1000 ** 2) return { problem: "must be at least 64MB" };
    return { value: text.replaceAll(/\s/g, "") };
  },
  origins: (text) => parseOrigins(text),
  database: (text, _setting, folder) => parseDatabase(text, folder),
};

/** Also the rule for projects that are made later: the id is a folder's name in the lake. */
export function isProjectId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text);
}

export const projectIdRule =
  "must be 1 to 128 letters, digits, dots, dashes or underscores and begin with a letter or digit";

function bounded(
  value: number,
  { min = -Infinity, max = Infinity }: Setting,
  show: (bound: number) => string = String,
): Parsed {
  if (value < min) return { problem: `must be at least ${show(min)}` };
  return value > max ? { problem: `must be at most ${show(max)}` } : { value };
}

function parseAddress(text: string): Parsed {
  const problem = "must be host:port, such as 127.0.0.1:4318 or [::1]:4318";
  const [, inBrackets, name, digits] = /^(?:\[([0-9a-f:.%]+)\]|([^\s:/[\]@?#]*)):(\d{1,5})$/i
    .exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return { problem };
  const address: Address = { host: inBrackets ?? (name || "0.0.0.0"), port };
  return { value: address };
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

function parseBytes(text: string): number | null {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = units[unit.toLowerCase()];
  return amount === undefined || factor === undefined ? null : Math.round(Number(amount) * factor);
}

function bytesText(bytes: number): string {
  for (const unit of ["TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "KB"]) {
    const factor = units[unit.toLowerCase()]!;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

function parseOrigins(text: string): Parsed {
  const value: string[] = [];
  for (const item of text.split(",").map((item) => item.trim()).filter((item) => item !== "")) {
    const origin = item === "*" ? "*" : originOf(item);
    if (origin === null) {
      return { problem: `holds "${item}", which is no origin such as https://app.example` };
    }
    value.push(origin);
  }
  return { value };
}

/** An origin in the spelling of browsers; null when the text says more, or less, than that. */
function originOf(text: string): string | null {
  if (!/^https?:\/\/[^/?#@\s]+\/?$/i.test(text) || !URL.canParse(text)) return null;
  return new URL(text).origin;
}

function parseDatabase(text: string, folder: string): Parsed {
  if (/^postgres(ql)?:/i.test(text)) {
    return {
      problem: "names PostgreSQL, but this build keeps its state in SQLite; " +
        "leave it empty, or give sqlite://<path>",
    };
  }
  const [, path] = /^sqlite3?:(?:\/\/)?(.*)$/i.exec(text) ?? [];
  if (text === "" || path === "") return { value: "" };
  if (path === undefined) return { problem: "must be empty or sqlite://<path>" };
  // Keys that are gone after a restart would lock everybody out.
  if (path.startsWith(":memory:")) return { problem: "must name a file, not :memory:" };
  return { value: `sqlite://${resolve(folder, path)}` };
}
