// `watchllm version`: what is running. Loads nothing else.
import { build } from "../embedded.ts";
import { type Call, exitCodes } from "./command.ts";
import { print } from "./output.ts";

export async function run({ options }: Call): Promise<number> {
  if (options.get("json") !== "true") {
    const commit = build.commit === null ? "" : ` (${build.commit.slice(0, 12)})`;
    await print(`watchllm ${build.version}${commit}`);
    return exitCodes.done;
  }
  const platform = `${process.platform}-${process.arch}`;
  await print(JSON.stringify({ name: "watchllm", ...build, platform, bun: Bun.version }));
  return exitCodes.done;
}
