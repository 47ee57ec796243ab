// Bundles the page: hashed names that a browser may keep for good, and an index.html that names them.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { columnType, type Field, fields } from "../src/event.ts";
import { pointColumns } from "../src/point.ts";

const here = import.meta.dir;

/** Writes index.html and everything that it loads. */
export async function buildWeb(outDir: string): Promise<void> {
  const { outputs } = await Bun.build({
    entrypoints: [join(here, "main.ts"), join(here, "style.css")],
    outdir: outDir,
    target: "browser",
    format: "esm",
    splitting: true,
    minify: true,
    naming: "[name]-[hash].[ext]",
    define: {
      EVENT_COLUMNS: JSON.stringify(columns()),
      POINT_COLUMNS: JSON.stringify(pointColumns.map(({ name, type, help }) => [name, type, help])),
    },
  });
  const nameOf = (kind: string, extension: string) => {
    const found = outputs.find(({ kind: its, path }) => its === kind && path.endsWith(extension));
    if (found === undefined) throw new Error(`The bundle has no ${kind} of type ${extension}.`);
    return basename(found.path);
  };
  const icon = readFileSync(join(here, "icon.svg"));
  const iconName = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 12)}.svg`;
  await Bun.write(join(outDir, iconName), icon);
  const index = readFileSync(join(here, "index.html"), "utf8")
    // From the root: the same file answers /runs/<id>.
    .replace("./icon.svg", `/${iconName}`)
    .replace("./style.css", `/${nameOf("asset", ".css")}`)
    .replace("./main.ts", `/${nameOf("entry-point", ".js")}`);
  await Bun.write(join(outDir, "index.html"), index);
}

/** The columns of the view `events`, for the console's side bar: name, type, what it answers. */
function columns(): [string, string, string][] {
  return (fields as readonly Field[])
    .filter(({ name }) => name !== "json_fields")
    .map((field) => [field.name, columnType(field), field.help]);
}

if (import.meta.main) await buildWeb(join(here, "dist"));
