// `watchllm help` and every command's `--help`, from the table of commands and the table of settings.
import { columns, helpLines } from "../config/render.ts";
import { didYouMean } from "../std/nearest.ts";
import { type Call, type Command, exitCodes, Failure } from "./command.ts";
import { print } from "./output.ts";
import { commands } from "./table.ts";

export async function run({ arguments: words }: Call): Promise<number> {
  if (words.length === 0) {
    await print(overview());
    return exitCodes.done;
  }
  const name = words.join(" ");
  const named = shown.filter((command) =>
    command.name === name || command.name.startsWith(`${name} `)
  );
  if (named.length === 0) {
    const hint = didYouMean(name, shown.map((command) => command.name));
    throw new Failure(`Unknown command "${name}".${hint}`, exitCodes.usage);
  }
  await print(named.map(helpText).join("\n\n"));
  return exitCodes.done;
}

const shown = commands.filter((command) => !command.hidden);

function overview(): string {
  return [
    "WatchLLM records every prompt, model call, tool call and agent step of your AI programs,",
    "and answers what broke, what it cost, and why.",
    "",
    "Usage: watchllm [command] [flags]",
    "",
    "Commands:",
    ...columns(shown.map((command) => [usageOf(command), command.summary])),
    "",
    "watchllm help <command> explains its flags. Every setting is a flag (--data-dir), a variable",
    "(WATCHLLM_DATA_DIR) and a key (data_dir) of the JSON file that --config names; the first of",
    "these that is given counts. watchllm config show prints them all.",
  ].join("\n");
}

export function helpText(command: Command): string {
  const { about, options = {}, settings } = command;
  const flags = Object.entries(options).map(([name, option]) => {
    const value = option.kind === "boolean"
      ? ""
      : ` <${option.placeholder ?? option.values?.join("|") ?? "text"}>`;
    const preset = option.default === undefined ? "" : ` [${option.default}]`;
    return [`--${name}${value}`, option.help + preset] as const;
  });
  const general: [string, string][] = [["-h, --help", "Show this text."]];
  if (settings !== null) general.push(["--config <path>", "JSON file with settings."]);
  return [
    command.summary,
    "",
    `Usage: watchllm ${usageOf(command)} [flags]`,
    ...about === undefined ? [] : ["", about],
    "",
    "Flags:",
    ...columns([...flags, ...general]),
    ...settings === null || settings.length === 0 ? [] : [
      "",
      "Settings (default in brackets; each is a variable too, --data-dir is WATCHLLM_DATA_DIR):",
      ...helpLines(settings),
    ],
  ].join("\n");
}

function usageOf({ name, arguments: list = [] }: Command): string {
  const words = list.map((argument) =>
    argument.required ? `<${argument.name}>` : `[${argument.name}]`
  );
  return [name, ...words].join(" ");
}
