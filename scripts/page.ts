// Builds the page into web/dist when it is missing or older than its sources, and puts compressed
// variants beside each file, so that neither the server nor the binary compresses at run time.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { filesUnder, hashOf, root } from "./inputs.ts";
import { whileLocked } from "./lock.ts";

interface WebBuild {
  /** Writes index.html and files with hashed names. */
  buildWeb(outDir: string): Promise<void>;
}

export const pageFolder = join(root, "web/dist");
const inputs = ["web", "src/event.ts", "src/point.ts", "deno.lock", "scripts/page.ts"];
const stamp = ".inputs";
/** Below this a compressed file saves no packet. */
const compressBytesMin = 1024;
const compressed = /\.(html|js|css|svg|json|txt|map|webmanifest)$/;

/** True when it was built, false when what is there is current. */
export async function buildPage(force = false): Promise<boolean> {
  const script = join(root, "web/build.ts");
  if (!existsSync(script)) throw new Error("The page cannot be built: web/build.ts is missing.");
  return await whileLocked(join(root, "node_modules/.cache/page.lock"), async () => {
    const wanted = hashOf(inputs);
    if (!force && readStamp() === wanted) return false;
    const draft = join(root, `dist/page.${process.pid}.tmp`);
    try {
      rmSync(draft, { recursive: true, force: true });
      mkdirSync(draft, { recursive: true });
      const { buildWeb } = await import(script) as WebBuild;
      await buildWeb(draft);
      if (!existsSync(join(draft, "index.html"))) throw new Error("buildWeb made no index.html.");
      for (const path of filesUnder(draft)) writeVariants(path);
      writeFileSync(join(draft, stamp), wanted);
      rmSync(pageFolder, { recursive: true, force: true });
      renameSync(draft, pageFolder);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
    return true;
  });
}

function readStamp(): string | null {
  try {
    return readFileSync(join(pageFolder, stamp), "utf8");
  } catch {
    return null;
  }
}

function writeVariants(path: string): void {
  const bytes = readFileSync(path);
  if (!compressed.test(path) || bytes.length < compressBytesMin) return;
  const text = { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT };
  const variants = {
    ".br": brotliCompressSync(bytes, { params: text }),
    ".zst": Bun.zstdCompressSync(bytes, { level: 19 }),
    ".gz": gzipSync(bytes, { level: 9 }),
  };
  for (const [suffix, variant] of Object.entries(variants)) {
    if (variant.length < bytes.length) writeFileSync(path + suffix, variant);
  }
}

/** Hexadecimal SHA-256. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

if (import.meta.main) {
  try {
    if (await buildPage(process.argv.includes("--force"))) console.error("Built the page.");
  } catch (error) {
    // What a bundler throws says nothing by itself; what it holds does.
    if (error instanceof AggregateError) { for (const cause of error.errors) console.error(cause); }
    else console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
