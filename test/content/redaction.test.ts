// Files leave an event before its texts are masked: what stands in their place is not masked in turn.
import { expect, test } from "bun:test";
import { extractFiles } from "../../src/content/extract.ts";
import { compileSettings, defaultSettings } from "../../src/redact/settings.ts";
import { Redactor } from "../../src/redact/redactor.ts";

test("files: no hash of a file looks like a secret or a number of a card", () => {
  const settings = compileSettings(defaultSettings("mask"));
  if ("refused" in settings) throw new Error(settings.refused.message);
  let id = 0;
  const redactor = new Redactor(settings, { key: "k", nowMs: () => 0, newId: () => `${id++}` });
  for (let number = 0; number < 500; number++) {
    const bytes = Buffer.alloc(1100, number);
    Buffer.from("89504e470d0a1a0a", "hex").copy(bytes);
    bytes.writeUInt32LE(number, 100);
    const value = {
      event_type: "prompt_call",
      prompt: [{ image_url: { url: `data:image/png;base64,${bytes.toString("base64")}` } }],
      attributes: { text: JSON.stringify({ data: bytes.toString("base64"), token: "x" }) },
    };
    const [file] = extractFiles(value);
    const before = JSON.stringify(value);
    redactor.redact(value);
    expect(JSON.stringify(value)).toBe(before);
    expect(before.split(`blob:sha256-${file!.sha256}?type=image/png&bytes=1100`).length).toBe(3);
  }
});
