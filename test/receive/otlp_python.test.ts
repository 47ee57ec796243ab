// Every field of OpenTelemetry's own definitions, filled at random by Google's protobuf library:
// what it writes as protobuf and what it writes as JSON are read alike. Its JSON has ids in base64
// and enums by name, as generic libraries write them.
import { expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { testPython } from "../../scripts/python.ts";
import { decode } from "../../src/receive/otlp/decode.ts";
import type { Signal } from "../../src/receive/otlp/export.ts";

const seed = Number(process.env.WATCHLLM_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
const requests = Number(process.env.WATCHLLM_FUZZ_REQUESTS ?? 150);
const definitions = "opentelemetry-proto==1.45.2";

const shown = (value: unknown) =>
  JSON.stringify(value, (_, one) => typeof one === "bigint" ? String(one) : one);

function read(signal: Signal, encoding: "protobuf" | "json", body: Uint8Array) {
  const decoded = decode(signal, encoding, body);
  if ("reason" in decoded) throw new Error(`${encoding}: ${decoded.message}`);
  expect(decoded.rejected.messages).toEqual([]);
  return decoded.items;
}

test(`${requests} requests of Python's protobuf, seed ${seed}`, async () => {
  const python = await testPython();
  if (python === null) return console.error("Skipped: no Python 3 here.");
  console.log(`otlp python: WATCHLLM_FUZZ_SEED=${seed}`);
  const uv = join(dirname(python), "uv");
  const script = join(import.meta.dir, "otlp_messages.py");
  const run = Bun.spawn(
    [uv, "run", "--quiet", "--no-project", "--python", python, "--with", definitions].concat([
      "python",
      script,
      String(seed),
      String(requests),
    ]),
    { stdout: "pipe", stderr: "pipe" },
  );
  const [output, errors, code] = await Promise.all([
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
    run.exited,
  ]);
  if (code !== 0) throw new Error(errors);
  const lines = output.trim().split("\n");
  expect(lines).toHaveLength(requests);
  let items = 0;
  for (const line of lines) {
    const [signal, wire, json] = line.split("\t") as [Signal, string, string];
    const fromWire = read(signal, "protobuf", Buffer.from(wire, "base64"));
    const fromJson = read(signal, "json", Buffer.from(json));
    expect(fromWire.length).toBe(fromJson.length);
    fromWire.forEach((item, at) => expect(shown(item)).toBe(shown(fromJson[at])));
    items += fromWire.length;
  }
  expect(items).toBeGreaterThan(requests / 2);
}, 120_000);
