// Builds the binary and starts real servers for the end-to-end tests.
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";

const root = dirname(dirname(import.meta.dir));
const startMsMax = 30_000;
const stopMsMax = 30_000;
const pollMs = 20;
const lastWordsMsMax = 2000;
const portTriesMax = 3;
const outputCharactersMax = 64 * 1024;

/** Servers share one staged DuckDB: 70 MB and half a second less for each data directory. */
const cacheDir = join(root, "node_modules/.cache/library");

/** Runs the server from its sources: `startServer({ command: fromSource, … })`. */
export const fromSource = [process.execPath, join(root, "src/main.ts")];

let building: Promise<string> | null = null;

/**
 * Path of the binary for this machine, built anew when its inputs have changed; or the one that
 * WATCHLLM_BINARY names, to try a release.
 */
export function builtBinary(): Promise<string> {
  const given = process.env.WATCHLLM_BINARY;
  building ??= given === undefined ? build() : Promise.resolve(given);
  return building;
}

async function build(): Promise<string> {
  const run = Bun.spawn([process.execPath, join(root, "scripts/build.ts"), "--if-changed"], {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, output] = await Promise.all([run.exited, new Response(run.stderr).text()]);
  if (code !== 0) throw new Error(`The build failed:\n${output}`);
  return join(root, "dist", process.platform === "win32" ? "watchllm.exe" : "watchllm");
}

export interface StartOptions {
  dataDir: string;
  /** The built binary unless told otherwise. */
  command?: string[];
  /** Added to a bare environment: nothing of the caller's WATCHLLM_* leaks in. */
  env?: Record<string, string>;
  /** Further arguments after `serve`. */
  args?: string[];
  /** Where it is started; the data directory unless told otherwise. */
  cwd?: string;
  /** A free one unless told otherwise. */
  port?: number;
}

export interface RunningServer extends AsyncDisposable {
  /** Without a slash at the end. */
  url: string;
  port: number;
  process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** What it has written so far, both streams. */
  output(): string;
  /** SIGTERM; resolves to the exit code. Throws when the server does not end in time. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Starts a server and resolves when `/readyz` says that it takes events and answers questions. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const command = options.command ?? [await builtBinary()];
  mkdirSync(options.dataDir, { recursive: true });
  for (let attempt = 1;; attempt++) {
    const port = options.port ?? await freePort();
    const server = launch(command, port, options);
    const problem = await untilReady(server);
    if (problem === null) return server;
    await server.kill();
    // Somebody may have taken the port between our asking for it and the server's.
    const taken = /EADDRINUSE|in use/i.test(server.output());
    if (options.port !== undefined || !taken || attempt === portTriesMax) {
      throw new Error(`The server ${problem}. It wrote:\n${server.output()}`);
    }
  }
}

/** The environment of a process that is to know only what a test tells it. */
export function bareEnvironment(env: Record<string, string> = {}): Record<string, string> {
  const kept = ["PATH", "HOME", "TMPDIR", "LANG", "SystemRoot", "TEMP"];
  const base = kept.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(base), ...env };
}

function launch(command: string[], port: number, options: StartOptions): RunningServer {
  const listen = `127.0.0.1:${port}`;
  const child = Bun.spawn([...command, "serve", ...(options.args ?? [])], {
    cwd: options.cwd ?? options.dataDir,
    env: bareEnvironment({
      WATCHLLM_LISTEN: listen,
      WATCHLLM_DATA_DIR: options.dataDir,
      WATCHLLM_CACHE_DIR: cacheDir,
      ...options.env,
    }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let written = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      written = (written + decoder.decode(chunk, { stream: true })).slice(-outputCharactersMax);
    }
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  // An orphaned child of the server may keep the pipes open: its words are not waited for.
  const lastWords = () => within(lastWordsMsMax, collected);
  const kill = async () => {
    if (child.exitCode === null) child.kill("SIGKILL");
    await child.exited;
    await lastWords();
  };
  return {
    url: `http://${listen}`,
    port,
    process: child,
    output: () => written,
    stop: async () => {
      if (child.exitCode === null) child.kill("SIGTERM");
      const ended = await within(stopMsMax, child.exited);
      if (ended === "late") {
        await kill();
        throw new Error(`The server did not end ${stopMsMax} ms after SIGTERM:\n${written}`);
      }
      await lastWords();
      return child.exitCode;
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | "late"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Null when ready, otherwise what went wrong. */
async function untilReady(server: RunningServer): Promise<string | null> {
  const deadline = performance.now() + startMsMax;
  while (performance.now() < deadline) {
    const { exitCode, signalCode } = server.process;
    if (exitCode !== null) return `ended with exit code ${exitCode}`;
    if (signalCode !== null) return `was ended by ${signalCode}`;
    try {
      const response = await fetch(`${server.url}/readyz`, { signal: AbortSignal.timeout(2000) });
      await response.arrayBuffer();
      if (response.ok) return null;
    } catch {
      // Not listening yet.
    }
    await Bun.sleep(pollMs);
  }
  return `was not ready after ${startMsMax} ms`;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no port"));
        else resolve(address.port);
      });
    });
  });
}
