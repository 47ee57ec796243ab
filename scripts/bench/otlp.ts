// Measures OTLP/HTTP as a ratio to the decoding alone, in the same run:
//   bun scripts/bench/otlp.ts [--seconds 5] [--connections 8] [--tiny]
// Protobuf and JSON, spans of three sizes, pricing and redaction on and off. The load generator
// shares the machine with the server, the decoding alone does not.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { decode } from "../../src/receive/otlp/decode.ts";
import type { Encoding } from "../../src/receive/otlp/export.ts";
import { root } from "../inputs.ts";
import { load } from "./load.ts";
import { encodings, exportOf } from "./otlp_exports.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    connections: { type: "string", default: "8" },
    tiny: { type: "boolean", default: false },
  },
});
const seconds = values.tiny ? 0.2 : Number(values.seconds);
const connections = values.tiny ? 2 : Number(values.connections);

const allSizes = [
  { name: "0.3 KB", bytes: 300, spans: 512 },
  { name: "2 KB", bytes: 2000, spans: 128 },
  { name: "20 KB", bytes: 20_000, spans: 32 },
];
const allSteps = [
  { name: "plain", flags: [] },
  { name: "priced", flags: ["--price"] },
  { name: "redacted", flags: ["--redact"] },
  { name: "priced and redacted", flags: ["--price", "--redact"] },
];

// Enough to know that it runs.
const sizes = values.tiny ? allSizes.slice(0, 1) : allSizes;
const steps = values.tiny ? allSteps.slice(-1) : allSteps;

const folder = mkdtempSync(join(tmpdir(), "watchllm-bench-otlp-"));
try {
  for (const size of sizes) {
    for (const encoding of encodings) {
      const { body, spansOf } = exportOf(encoding, size.spans, size.bytes);
      const alone = decodeAlone(encoding, body());
      console.log(
        `${encoding}, spans of ${size.name} (${spansOf} a request of ` +
          `${Math.round(body().length / 1024)} KiB): decoding alone ${perSecond(alone)}`,
      );
      for (const step of steps) await measure(step, encoding, size.spans, body, alone);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function decodeAlone(encoding: Encoding, body: Uint8Array): number {
  let spans = 0;
  let started = performance.now();
  // The first rounds compile it.
  for (let round = 0; round === 0 || performance.now() - started < seconds * 1000; round++) {
    if (round === 20) {
      spans = 0;
      started = performance.now();
    }
    const decoded = decode("traces", encoding, body);
    if ("reason" in decoded) throw new Error(decoded.message);
    spans += decoded.items.length;
  }
  return spans / (performance.now() - started) * 1000;
}

async function measure(
  { name, flags }: (typeof allSteps)[number],
  encoding: Encoding,
  spans: number,
  body: () => Buffer,
  alone: number,
): Promise<void> {
  const data = mkdtempSync(join(folder, "data-"));
  const script = join(root, "scripts/bench/otlp_server.ts");
  const server = Bun.spawn([process.execPath, script, data, ...flags], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const { value } = await server.stdout.getReader().read();
    const port = new TextDecoder().decode(value).trim();
    const type = encoding === "json" ? "application/json" : "application/x-protobuf";
    const options = {
      connections,
      eventsPerRequest: spans,
      headers: { "content-type": type },
      accepted: 200,
      body,
    };
    const url = `http://127.0.0.1:${port}/v1/traces`;
    await load(url, { ...options, seconds: seconds / 5 });
    const result = await load(url, { ...options, seconds });
    console.log(
      `  ${name.padEnd(20)} ${perSecond(result.perSecond)}  ` +
        `${(result.perSecond / alone).toFixed(3)} of decoding   p99 ${result.p99Ms.toFixed(0)} ms`,
    );
  } finally {
    server.kill();
    await server.exited;
    rmSync(data, { recursive: true, force: true });
  }
}

function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString("en").padStart(9)} spans/s`;
}
