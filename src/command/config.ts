// `watchllm config show`: every setting, its value and where that came from. Secrets are not shown.
import { shownSettings } from "../config/render.ts";
import { type Call, exitCodes } from "./command.ts";
import { print, tableText } from "./output.ts";

export async function show({ config, origins, options }: Call): Promise<number> {
  const rows = shownSettings(config, origins);
  if (options.get("format") === "json") {
    const entries = rows.map(({ name, ...shown }) => [name, shown]);
    await print(JSON.stringify(Object.fromEntries(entries), null, 2));
    return exitCodes.done;
  }
  await print(
    tableText(
      ["setting", "value", "from"],
      rows.map(({ name, value, origin }) => [name, value ?? "", origin]),
    ),
  );
  return exitCodes.done;
}
