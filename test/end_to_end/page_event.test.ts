// One event on the page: where the fields of a span came from, and files that were moved out of it.
/// <reference lib="dom" />
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { crc32, deflateSync } from "node:zlib";
import { chromiumPath, overflowing, phone, visit, wide } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;

const attribute = (key: string, value: string | number) => ({
  key,
  value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
});

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

function traceOf(attributes: object[]) {
  const nanos = (ms: number) => String(BigInt(Date.now() + ms) * 1_000_000n);
  const span = {
    traceId,
    spanId,
    name: "chat",
    startTimeUnixNano: nanos(-2000),
    endTimeUnixNano: nanos(-1000),
    attributes,
  };
  return { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
}

/** A picture that does not compress away. */
function png(width: number, height: number): Buffer {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let at = 0, noise = 1; at < rows.length; at++) {
    noise = noise * 48_271 % 2_147_483_647;
    rows[at] = noise;
  }
  for (let row = 0; row < height; row++) rows[row * (width * 3 + 1)] = 0;
  const chunk = (type: string, body: Buffer) => {
    const content = Buffer.concat([Buffer.from(type), body]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    sum.writeUInt32BE(crc32(content));
    return Buffer.concat([length, content, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A second of silence. */
function wav(): Buffer {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(8036, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  for (const [at, value] of [[20, 1], [22, 1], [32, 1], [34, 8]] as const) {
    head.writeUInt16LE(value, at);
  }
  for (const at of [24, 28]) head.writeUInt32LE(8000, at);
  head.write("data", 36);
  head.writeUInt32LE(8000, 40);
  return Buffer.concat([head, Buffer.alloc(8000, 128)]);
}

const pdf = Buffer.from(`%PDF-1.4\n%${"x".repeat(2000)}\n%%EOF`);
const url = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString("base64")}`;

const withFiles = {
  event_id: "files",
  run_id: "looked",
  event_type: "prompt_call",
  model: "gpt-4o",
  timestamp: new Date(Date.now() - 60_000).toISOString(),
  prompt: [{
    role: "user",
    content: [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: url("image/png", png(60, 40)) } },
      { type: "input_audio", input_audio: { data: wav().toString("base64"), format: "wav" } },
      { type: "file", file: { file_data: url("application/pdf", pdf) } },
      { type: "image_url", image_url: { url: "https://example.com/pixel.png" } },
    ],
  }],
  response: "Noise.",
};

describe.skipIf(chromiumPath === null)("page: one event", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, testMsMax);
  afterAll(async () => await site?.[Symbol.asyncDispose](), testMsMax);

  for (const [name, viewport] of [["wide", wide], ["phone", phone]] as const) {
    test(`a span says where its fields came from, ${name}`, async () => {
      const project_id = `traced-${name}`;
      const at = await site.project(project_id);
      const response = await site.post(
        `/v1/projects/${project_id}/v1/traces`,
        traceOf([
          attribute("gen_ai.operation.name", "chat"),
          attribute("gen_ai.request.model", "gpt-4o"),
          attribute("gen_ai.usage.input_tokens", 100),
          attribute("gen_ai.usage.cache_read.input_tokens", 900),
          attribute("gen_ai.usage.output_tokens", 7),
          attribute("gen_ai.usage.completion_tokens", 8),
          attribute("shop.order.with_a_long_name.that_does_not_end.before_the_edge", "A-17"),
        ]),
      );
      expect(response.status).toBe(200);
      await using visited = await visit(
        site.browser,
        `${site.url}/?${at}&event=${traceId}-${spanId}`,
        { viewport },
      );
      const { page } = visited;
      const fold = page.getByRole("button", { name: "Where it came from" });
      expect(await fold.getAttribute("aria-expanded")).toBe("false");
      await fold.click();
      const panel = page.locator(".mapping");
      await panel.getByRole("link", { name: "OpenTelemetry GenAI" }).waitFor();
      await panel.getByText("It was taken for a model call").waitFor();
      await panel.getByText("so the input was without them").waitFor();
      const output = panel.getByRole("listitem").filter({ hasText: "tokens_output" }).first();
      await output.getByText("gen_ai.usage.output_tokens").waitFor();
      const lost = output.getByText("gen_ai.usage.completion_tokens");
      expect(await lost.count()).toBe(0);
      await output.getByRole("button", { name: "1 other place had a value" }).click();
      await lost.waitFor();
      await panel.getByText("1 attribute left over").click();
      await panel.getByText("shop.order.with_a_long_name").waitFor();
      expect(await overflowing(page)).toEqual([]);
      expect(visited.complaints).toEqual([]);
    }, testMsMax);
  }

  test("an event that was sent as it is has no such panel", async () => {
    const at = await site.project("plain", [{ event_id: "one", event_type: "span" }]);
    await using visited = await visit(site.browser, `${site.url}/?${at}&event=one`);
    const { page } = visited;
    await page.getByRole("button", { name: "Raw JSON", exact: true }).waitFor();
    expect(await page.getByRole("button", { name: "Where it came from" }).count()).toBe(0);
  }, testMsMax);

  for (
    const [where, path] of [
      ["in the drawer", "/?event=files"],
      ["in the run", "/runs/looked?at=files"],
      ["as a conversation", "/runs/looked?view=chat"],
    ] as const
  ) {
    test(`files of an event are shown, and nothing from elsewhere, ${where}`, async () => {
      const project_id = `files-${where.replaceAll(" ", "-")}`;
      const at = await site.project(project_id, [withFiles]);
      await using visited = await visit(site.browser, `${site.url}${path}&${at}`, {
        viewport: phone,
      });
      const { page } = visited;
      const picture = page.getByRole("img", { name: /^Image, image\/png/ });
      await picture.waitFor();
      const size = () =>
        picture.evaluate(async (element) => {
          const image = element as HTMLImageElement;
          await image.decode();
          return [image.naturalWidth, image.naturalHeight];
        });
      expect(await size()).toEqual([60, 40]);
      expect(await page.locator("audio[controls]").count()).toBe(1);
      const paper = page.getByRole("link", { name: /^application\/pdf/ });
      const address = await paper.getAttribute("href");
      const answer = await fetch(site.url + address);
      expect(answer.headers.get("content-type")).toBe("application/pdf");
      expect(Buffer.from(await answer.arrayBuffer()).equals(pdf)).toBe(true);
      // What lies elsewhere is an address to follow, never loaded.
      await page.getByRole("link", { name: "https://example.com/pixel.png" }).waitFor();
      expect(await page.locator("img").count()).toBe(1);
      expect(await overflowing(page)).toEqual([]);
      expect(visited.complaints).toEqual([]);
    }, testMsMax);
  }
});
