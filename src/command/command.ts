// What a command of the command line is. `table.ts` lists them all.
import type { Config, SettingName } from "../config.ts";
import type { Origin } from "../config/load.ts";

/** A flag of one command; settings have flags of their own. */
export interface Option {
  kind: "text" | "boolean";
  help: string;
  /** What the value is, for `--help`: `--format <table|json>`. */
  placeholder?: string;
  values?: readonly string[];
  default?: string;
}

export interface Argument {
  name: string;
  required: boolean;
}

export interface Command {
  /** One or two words: `serve`, `key create`. */
  name: string;
  /** One line, for the list of commands. */
  summary: string;
  /** Sentences and examples for the command's own `--help`. */
  about?: string;
  arguments?: readonly Argument[];
  options?: Readonly<Record<string, Option>>;
  /**
   * Settings whose flags the command takes. Null for a command that reads no settings at all, and
   * so works whatever the environment says.
   */
  settings: readonly SettingName[] | null;
  /** Left out of help and completion. */
  hidden?: true;
  /** Imported only when it runs: `version` must not load DuckDB. */
  load(): Promise<Run>;
}

/** Resolves to the exit code. Throws `Failure` for what the user can mend. */
export type Run = (call: Call) => Promise<number>;

export interface Call {
  command: Command;
  /** Positional arguments in the order of `Command.arguments`. */
  arguments: readonly string[];
  /** Flags of the command that were given; a boolean is "true" or "false". */
  options: ReadonlyMap<string, string>;
  /** Complete and valid. For a command without settings this is the defaults. */
  config: Config;
  origins: Readonly<Record<SettingName, Origin>>;
}

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  /** EX_CONFIG of sysexits.h. */
  config: 78,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const;

/** The command cannot do what was asked; the message is all that the user sees. */
export class Failure extends Error {
  constructor(message: string, readonly exitCode: number = exitCodes.failed) {
    super(message);
  }
}
