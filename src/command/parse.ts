// The words of a command line → the command, its arguments, its flags. Knows nothing of what a
// setting's text means: that is config/load.ts.
import { parseArgs } from "node:util";
import { flagOf, settingNames, settingOf } from "../config.ts";
import { didYouMean } from "../std/nearest.ts";
import type { Command } from "./command.ts";

export interface Parsed {
  command: Command;
  help: boolean;
  arguments: string[];
  options: Map<string, string>;
  /** Text by flag name of the settings that were given. */
  flags: Map<string, string>;
}

export type ParseResult = Parsed | { problem: string; command: Command | null };

/** Words that begin with a dash are no command: `watchllm --listen …` serves. */
export function parseCommandLine(
  words: readonly string[],
  commands: readonly Command[],
): ParseResult {
  const [first, second] = words;
  if (first === undefined || first.startsWith("-")) {
    if (first === "--version" || first === "-V") return parseCommandLine(["version"], commands);
    if (first === "--help" || first === "-h") return parseCommandLine(["help"], commands);
    return parseCommandLine(["serve", ...words], commands);
  }
  const two = commands.find((command) => command.name === `${first} ${second}`);
  if (two !== undefined) return parseFlags(two, words.slice(2));
  const one = commands.find((command) => command.name === first);
  if (one !== undefined) return parseFlags(one, words.slice(1));
  return { problem: unknownCommand(words, commands), command: null };
}

function unknownCommand([first = "", second]: readonly string[], commands: readonly Command[]) {
  const verbs = commands.filter((command) => command.name.startsWith(`${first} `))
    .map((command) => command.name.slice(first.length + 1));
  if (verbs.length > 0) {
    if (second === undefined || second.startsWith("-")) {
      return `"${first}" needs one of: ${verbs.join(", ")}.`;
    }
    return `Unknown command "${first} ${second}".${didYouMean(second, verbs)}`;
  }
  const shown = commands.filter((command) => !command.hidden);
  const names = new Set(shown.map((command) => command.name.split(" ")[0]!));
  return `Unknown command "${first}".${didYouMean(first, [...names])} ` +
    "watchllm help lists all commands.";
}

interface Flag {
  isBoolean: boolean;
  isSetting: boolean;
}

/** Every flag that a command takes, by name without dashes. */
export function flagsOf(command: Command): Map<string, Flag> {
  const flags = new Map<string, Flag>([["help", { isBoolean: true, isSetting: false }]]);
  for (const [name, option] of Object.entries(command.options ?? {})) {
    flags.set(name, { isBoolean: option.kind === "boolean", isSetting: false });
  }
  if (command.settings === null) return flags;
  flags.set("config", { isBoolean: false, isSetting: true });
  for (const name of command.settings) {
    const { kind, secret } = settingOf(name);
    flags.set(flagOf(name), { isBoolean: kind === "boolean", isSetting: true });
    if (secret) flags.set(`${flagOf(name)}-file`, { isBoolean: false, isSetting: true });
  }
  return flags;
}

function parseFlags(command: Command, words: string[]): ParseResult {
  const flags = flagsOf(command);
  const parsed: Parsed = {
    command,
    help: false,
    arguments: [],
    options: new Map(),
    flags: new Map(),
  };
  // Lenient, because its own complaints know neither suggestions nor negation with a value.
  const { tokens } = parseArgs({
    args: words,
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries([...flags].map(([name, { isBoolean }]) => [
      name,
      { type: isBoolean ? "boolean" as const : "string" as const, ...shortOf(name) },
    ])),
  });
  for (const token of tokens) {
    if (token.kind === "positional") parsed.arguments.push(token.value);
    if (token.kind !== "option") continue;
    const negated = token.name.startsWith("no-") && !flags.has(token.name);
    const name = negated ? token.name.slice(3) : token.name;
    const flag = flags.get(name);
    if (flag === undefined || negated && (!flag.isBoolean || token.value !== undefined)) {
      return { problem: unknownFlag(token.rawName, command, flags), command };
    }
    if (name === "help") {
      parsed.help = true;
      continue;
    }
    const value = flag.isBoolean ? token.value ?? String(!negated) : token.value;
    // The next flag is more likely forgotten than meant as a value.
    if (value === undefined || !token.inlineValue && /^--?[a-z]/i.test(value)) {
      return { problem: `${token.rawName} needs a value.`, command };
    }
    (flag.isSetting ? parsed.flags : parsed.options).set(name, value);
  }
  if (parsed.help) return parsed;
  const problem = wrongOption(parsed) ?? wrongArguments(parsed);
  return problem === null ? parsed : { problem, command };
}

function shortOf(name: string): { short?: string } {
  return name === "help" ? { short: "h" } : {};
}

function unknownFlag(rawName: string, command: Command, flags: Map<string, Flag>): string {
  const known = [...flags].flatMap(([name, { isBoolean }]) =>
    isBoolean && name !== "help" ? [`--${name}`, `--no-${name}`] : [`--${name}`]
  );
  const elsewhere = settingNames.some((name) => `--${flagOf(name)}` === rawName)
    ? ` "watchllm ${command.name}" does not use that setting.`
    : didYouMean(rawName, known);
  return `Unknown flag ${rawName}.${elsewhere}`;
}

function wrongOption({ command, options }: Parsed): string | null {
  for (const [name, value] of options) {
    const option = command.options?.[name];
    const values = option?.kind === "boolean" ? ["true", "false"] : option?.values;
    if (values !== undefined && !values.includes(value)) {
      return `--${name} must be one of ${values.join(", ")}.${didYouMean(value, values)}`;
    }
  }
  return null;
}

function wrongArguments({ command, arguments: given }: Parsed): string | null {
  const wanted = command.arguments ?? [];
  const missing = wanted.find((argument, at) => argument.required && given[at] === undefined);
  if (missing !== undefined) return `<${missing.name}> is missing.`;
  const extra = given[wanted.length];
  return extra === undefined ? null : `Unexpected argument "${extra}".`;
}
