// The program: finds the command, reads its settings, runs it, ends with its exit code.
import { type Call, exitCodes, Failure } from "./command/command.ts";
import { parseCommandLine, type Parsed } from "./command/parse.ts";
import { commands } from "./command/table.ts";
import { loadConfig } from "./config/load.ts";

process.exit(await main(process.argv.slice(2)));

async function main(words: string[]): Promise<number> {
  const parsed = parseCommandLine(words, commands);
  if ("problem" in parsed) {
    const about = parsed.command === null ? "" : `\nSee: watchllm ${parsed.command.name} --help`;
    console.error(`watchllm: ${parsed.problem}${about}`);
    return exitCodes.usage;
  }
  if (parsed.help) {
    const { helpText } = await import("./command/help.ts");
    const { print } = await import("./command/output.ts");
    await print(helpText(parsed.command));
    return exitCodes.done;
  }
  // A command that ends by a signal tells the shell so; serve has a way of its own to end.
  if (parsed.command.name !== "serve") {
    process.once("SIGINT", () => process.exit(exitCodes.interrupted));
  }
  return await run(parsed);
}

async function run({ command, arguments: given, options, flags }: Parsed): Promise<number> {
  const env = command.settings === null ? {} : process.env;
  const loaded = loadConfig({ flags, env, cwd: process.cwd() });
  if ("problems" in loaded) {
    for (const { message } of loaded.problems) console.error(`watchllm: ${message}`);
    const inFlags = loaded.problems.every(({ source }) => source === "flag");
    return inFlags ? exitCodes.usage : exitCodes.config;
  }
  const call: Call = { command, arguments: given, options, ...loaded };
  try {
    const execute = await command.load();
    return await execute(call);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`watchllm: ${error.message}`);
    return error.exitCode;
  }
}
