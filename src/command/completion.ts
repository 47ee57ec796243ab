// `watchllm completion bash|zsh|fish`: scripts made from the table of commands and their flags.
import { flagOf, settingNames, settingOf } from "../config.ts";
import { didYouMean } from "../std/nearest.ts";
import { type Call, type Command, exitCodes, Failure } from "./command.ts";
import { print } from "./output.ts";
import { flagsOf } from "./parse.ts";
import { commands } from "./table.ts";

const shells: Readonly<Record<string, () => string>> = { bash, zsh, fish };

export async function run({ arguments: [shell = ""] }: Call): Promise<number> {
  const script = shells[shell];
  if (script === undefined) {
    const names = Object.keys(shells);
    throw new Failure(
      `No completion for "${shell}"; there is ${names.join(", ")}.${didYouMean(shell, names)}`,
      exitCodes.usage,
    );
  }
  await print(script());
  return exitCodes.done;
}

const shown = commands.filter((command) => !command.hidden);

/** Verbs by first word; a command of one word has none. */
function verbs(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name } of shown) {
    const [first = "", second] = name.split(" ");
    found.set(first, [...found.get(first) ?? [], ...second === undefined ? [] : [second]]);
  }
  return found;
}

function flags(command: Command): string[] {
  return [...flagsOf(command)].map(([name]) => `--${name}`);
}

/** Words that may follow a flag; null when it takes none, empty when the shell should offer files. */
function valuesOf(command: Command, flag: string): readonly string[] | null {
  if (flagsOf(command).get(flag)?.isBoolean !== false) return null;
  const setting = settingNames.find((name) => flagOf(name) === flag);
  return (setting === undefined ? command.options?.[flag]?.values : settingOf(setting).values) ??
    [];
}

function positionals(command: Command): string[] {
  const [first] = command.arguments ?? [];
  if (command.name === "help") return [...verbs().keys()];
  return first?.name.includes("|") ? first.name.split("|") : [];
}

/** Bash and zsh share one decision table: words so far → words that may follow. */
function bash(): string {
  const firsts = [...verbs().keys()].join(" ");
  const groups = [...verbs()].filter(([, words]) => words.length > 0);
  return `# watchllm completion for bash
_watchllm() {
  local cur prev cmd
  COMPREPLY=()
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  cmd="\${COMP_WORDS[1]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${firsts}" -- "$cur"))
    return
  fi
  case "$cmd" in
${groups.map(([first]) => `    ${first}) cmd="$cmd \${COMP_WORDS[2]}" ;;`).join("\n")}
  esac
  if [ "$COMP_CWORD" -eq 2 ]; then
    case "\${COMP_WORDS[1]}" in
${
    groups.map(([first, words]) =>
      `      ${first}) COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$cur")); return ;;`
    ).join("\n")
  }
    esac
  fi
  case "$cmd $prev" in
${
    shown.flatMap((command) =>
      [...flagsOf(command).keys()].flatMap((flag) => {
        const values = valuesOf(command, flag);
        if (values === null) return [];
        const offer = values.length === 0 ? '-f -- "$cur"' : `-W "${values.join(" ")}" -- "$cur"`;
        return [`    "${command.name} --${flag}") COMPREPLY=($(compgen ${offer})); return ;;`];
      })
    ).join("\n")
  }
  esac
  case "$cmd" in
${
    shown.map((command) => {
      const words = [...positionals(command), ...flags(command)].join(" ");
      return `    "${command.name}") COMPREPLY=($(compgen -W "${words}" -- "$cur")) ;;`;
    }).join("\n")
  }
  esac
}
complete -F _watchllm watchllm`;
}

function zsh(): string {
  return `#compdef watchllm
# watchllm completion for zsh
autoload -U +X bashcompinit && bashcompinit
${bash()}`;
}

function fish(): string {
  const lines = ["# watchllm completion for fish", "complete -c watchllm -f"];
  for (const [first, words] of verbs()) {
    const only = shown.find((command) => command.name === first);
    const summary = only?.summary ?? words.join(", ");
    lines.push(`complete -c watchllm -n __fish_use_subcommand -a ${first} -d ${quoted(summary)}`);
    if (words.length === 0) continue;
    const undecided = `__fish_seen_subcommand_from ${first}; and not ` +
      `__fish_seen_subcommand_from ${words.join(" ")}`;
    lines.push(`complete -c watchllm -n ${quoted(undecided)} -a ${quoted(words.join(" "))}`);
  }
  for (const command of shown) {
    const condition = quoted(
      command.name.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`).join("; and "),
    );
    const words = positionals(command);
    if (words.length > 0) {
      lines.push(`complete -c watchllm -n ${condition} -a ${quoted(words.join(" "))}`);
    }
    for (const name of flagsOf(command).keys()) {
      const values = valuesOf(command, name);
      const value = values === null
        ? ""
        : values.length === 0
        ? " -r -F"
        : ` -x -a ${quoted(values.join(" "))}`;
      lines.push(
        `complete -c watchllm -n ${condition} -l ${name}${value} -d ${
          quoted(helpOf(command, name))
        }`,
      );
    }
  }
  return lines.join("\n");
}

function helpOf(command: Command, flag: string): string {
  const setting = settingNames.find((name) => flagOf(name) === flag);
  const general: Readonly<Record<string, string>> = {
    help: "Show help.",
    config: "JSON file with settings.",
  };
  return command.options?.[flag]?.help ?? general[flag] ??
    (setting === undefined ? "Read it from a file." : settingOf(setting).help);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}
