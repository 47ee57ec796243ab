// Builds an OpenTelemetry Collector for test/exporters/collector.test.ts, by the Collector's own
// builder: minutes of compiling, so it is asked for and not part of every test run.
//   bun scripts/collector.ts     prints the path of the program; needs Go 1.26 or later
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./inputs.ts";

const version = "v0.165.0";
const folder = join(root, "node_modules/.cache/collector");
const program = join(folder, "dist/otelcol");

const module = (path: string) => `  - gomod: go.opentelemetry.io/collector/${path} ${version}`;

const plan = `dist:
  { name: otelcol, output_path: ./dist, version: ${version.slice(1)}, module: example/otelcol }
receivers:
${module("receiver/otlpreceiver")}
exporters:
${module("exporter/otlphttpexporter")}
${module("exporter/otlpexporter")}
`;

function run(...command: string[]): void {
  const env = {
    ...process.env,
    GOBIN: join(folder, "bin"),
    GOFLAGS: "-mod=mod",
    CGO_ENABLED: "0",
  };
  const { success } = Bun.spawnSync(command, {
    cwd: folder,
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (!success) throw new Error(`${command.join(" ")} failed`);
}

if (!existsSync(program)) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "plan.yaml"), plan);
  run("go", "install", `go.opentelemetry.io/collector/cmd/builder@${version}`);
  run(join(folder, "bin/builder"), "--config", "plan.yaml");
}
console.log(program);
