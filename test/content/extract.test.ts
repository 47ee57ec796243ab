import { expect, test } from "bun:test";
import fc from "fast-check";
import { extractFiles } from "../../src/content/extract.ts";

/** Not repetitive, so that no two files are alike. */
function bytesOf(start: string, length = 3000, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = seed; at < length; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    bytes[at] = state >> 16;
  }
  Buffer.from(start, "hex").copy(bytes);
  return bytes;
}

const pngBytes = bytesOf("89504e470d0a1a0a");
const png = pngBytes.toString("base64");
const jpeg = bytesOf("ffd8ffe0").toString("base64");
const pcm = bytesOf("0001").toString("base64");
const wav = bytesOf("524946460000000057415645").toString("base64");
const pdf = bytesOf("255044462d312e37").toString("base64");

const sha = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
const blob = (base64: string, type: string) => {
  const bytes = Buffer.from(base64, "base64");
  return `blob:sha256-${sha(bytes)}?type=${type}&bytes=${bytes.length}`;
};
const pngBlob = blob(png, "image/png");

function check(what: string, sent: unknown, expected: unknown): void {
  test(`files: ${what}`, () => {
    const value = { event_type: "span", input: structuredClone(sent) };
    const files = extractFiles(value);
    expect(value.input).toEqual(expected);
    const text = JSON.stringify(value);
    for (const file of files) {
      expect(sha(file.bytes)).toBe(file.sha256);
      expect(text).toContain(
        `blob:sha256-${file.sha256}?type=${file.media_type}&bytes=${file.bytes.length}`,
      );
    }
    expect(new Set(text.match(/(?<=blob:sha256-)[0-9a-f]{64}/g) ?? []).size).toBe(files.length);
  });
}

check("a data URL", `data:image/png;base64,${png}`, pngBlob);
check("a data URL with parameters", `data:image/png;name=a.png;base64,${png}`, pngBlob);
check(
  "data URLs in Markdown",
  `Look: ![a](data:image/png;base64,${png}) and (data:image/jpeg;base64,${jpeg})!`,
  `Look: ![a](${pngBlob}) and (${blob(jpeg, "image/jpeg")})!`,
);
check("OpenAI: image_url", [{
  role: "user",
  content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${png}` } }],
}], [{ role: "user", content: [{ type: "image_url", image_url: { url: pngBlob } }] }]);
check("OpenAI: input_audio of bare samples", {
  type: "input_audio",
  input_audio: { data: pcm, format: "pcm16" },
}, {
  type: "input_audio",
  input_audio: { data: blob(pcm, "application/octet-stream"), format: "pcm16" },
});
check("OpenAI: file", {
  type: "file",
  file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${pdf}` },
}, { type: "file", file: { filename: "a.pdf", file_data: blob(pdf, "application/pdf") } });
check("Anthropic: source", {
  type: "image",
  source: { type: "base64", media_type: "image/png", data: png },
}, { type: "image", source: { type: "base64", media_type: "image/png", data: pngBlob } });
check("Gemini: inline_data, in the alphabet for URLs", {
  inline_data: {
    mime_type: "audio/wav",
    data: wav.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
  },
}, { inline_data: { mime_type: "audio/wav", data: blob(wav, "audio/wav") } });
check("OpenTelemetry: blob part", {
  type: "blob",
  mime_type: "image/png",
  modality: "image",
  content: png,
}, { type: "blob", mime_type: "image/png", modality: "image", content: pngBlob });
check("Vercel: file part", { type: "file", mediaType: "image/png", data: png }, {
  type: "file",
  mediaType: "image/png",
  data: pngBlob,
});
check("bare, known by its bytes", [png, "beside"], [pngBlob, "beside"]);
check("what its sender calls it is not believed", { mime_type: "text/html", data: png }, {
  mime_type: "text/html",
  data: pngBlob,
});
check("the same file twice", [png, png], [pngBlob, pngBlob]);
check(
  "within JSON that a text holds",
  JSON.stringify([{
    parts: [{ type: "blob", mime_type: "image/png", content: png }, { text: "x" }],
  }]),
  JSON.stringify([{
    parts: [{ type: "blob", mime_type: "image/png", content: pngBlob }, { text: "x" }],
  }]),
);
check(
  "within JSON, samples that only their neighbour declares",
  JSON.stringify({ data: pcm, format: "pcm16" }),
  JSON.stringify({ data: blob(pcm, "application/octet-stream"), format: "pcm16" }),
);
check(
  "within JSON within JSON",
  JSON.stringify({ a: JSON.stringify({ data: png }) }),
  JSON.stringify({ a: JSON.stringify({ data: pngBlob }) }),
);

const unchanged: [string, unknown][] = [
  ["a small file", pngBytes.subarray(0, 900).toString("base64")],
  ["bytes that are no known file, and are not declared", pcm],
  ["bytes within JSON, declared for another object", JSON.stringify([{ format: "a" }, { e: pcm }])],
  ["invalid base64: one character too many", `${png}A`],
  ["invalid base64: padding in the middle", `${png.slice(0, 2000)}=${png.slice(2000)}`],
  ["base64 that goes on as text", `${png} is what I got`],
  ["hex", bytesOf("").toString("hex")],
  ["long words", "a".repeat(100_000)],
  ["an address", `https://example.com/${"path/".repeat(1000)}`],
  ["ordinary text", "The quick brown fox. ".repeat(10_000)],
];
for (const [what, sent] of unchanged) check(`stays: ${what}`, sent, sent);

test("files: keys and lists of any kind are walked, __proto__ among them", () => {
  const value = JSON.parse(`{"a":[["${png}"]],"__proto__":{"b":"${png}"}}`);
  expect(extractFiles(value).length).toBe(1);
  expect(JSON.stringify(value)).toBe(`{"a":[["${pngBlob}"]],"__proto__":{"b":"${pngBlob}"}}`);
});

test("files: an event has a bounded number of them; the rest stays", () => {
  const all = Array.from(
    { length: 100 },
    (_, at) => bytesOf("89504e470d0a1a0a", 1200, at + 1).toString("base64"),
  );
  const value = { input: [...all] };
  expect(extractFiles(value).length).toBe(64);
  expect(value.input.filter((text) => text.startsWith("blob:")).length).toBe(64);
});

test("files: nesting without end is survived", () => {
  let value: unknown = png;
  for (let depth = 0; depth < 10_000; depth++) value = [value];
  expect(extractFiles({ value })).toEqual([]);
});

test("files: whatever stands around it, base64 is found and everything else kept", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 3000 }), fc.string({ maxLength: 3000 }), (
      before,
      after,
    ) => {
      const text = JSON.stringify({ before, file: png, after });
      const value = { text };
      extractFiles(value);
      expect(JSON.parse(value.text)).toEqual({ before, file: pngBlob, after });
    }),
    { numRuns: 300 },
  );
});

test("files: ordinary text costs next to nothing", () => {
  const text = "Ordinary words, and more of them; nothing is encoded here. ".repeat(20_000);
  const started = performance.now();
  for (let round = 0; round < 20; round++) extractFiles({ text });
  // 23 MB; reading every character would take ten times as long.
  expect(performance.now() - started).toBeLessThan(100);
});
