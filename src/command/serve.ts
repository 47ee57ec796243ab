// `watchllm serve`: takes the data directory, opens the state, starts the server, and ends all three
// in the opposite order when it is told to.
import { SQLiteError } from "bun:sqlite";
import { type Address, addressText, type Config } from "../config.ts";
import { build } from "../embedded.ts";
import { configureLogging, loggerOf } from "../logging.ts";
import { reachableHost } from "../std/loopback.ts";
import { DataDirError, type DataDirLock, lockDataDir } from "../store/lock.ts";
import { openState, type State, statePath } from "../store/state.ts";
import { StateError } from "../store/state/database.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { firstKey, greetingText, initialise } from "./first_start.ts";
import { say } from "./output.ts";

export interface RunningServer {
  /** Where it really listens: port 0 has become a number. */
  address: Address;
  /** Takes nothing new, finishes what was begun, leaves everything on disk. */
  stop(): Promise<void>;
}

export type StartServer = (config: Config, state: State) => Promise<RunningServer>;

const log = loggerOf("serve");

export async function run(call: Call): Promise<number> {
  const { startServer } = await import("../server.ts");
  return await serve(call.config, startServer);
}

/** Resolves to the exit code once the server has ended. */
export async function serve(config: Config, startServer: StartServer): Promise<number> {
  await configureLogging(config);
  // Prompts are for this user's eyes, whoever owns the folder that they lie in.
  process.umask(0o077);
  // From here on: a signal during the start must not leave half of it behind.
  const signal = nextSignal();
  const lock = takeDataDir(config.data_dir);
  let state: State | null = null;
  try {
    state = await openStateOf(config);
    const initial = await initialise(state, config);
    if (initial?.keyRevoked) {
      log.warning("The key of WATCHLLM_INIT_KEY was revoked and stays so; set another.");
    }
    const server = await listen(config, state, startServer);
    const url = urlOf(server.address);
    lock.announce(url);
    log.info("WatchLLM {version} listens on {url}, data in {data_dir}", {
      version: build.version,
      url,
      data_dir: config.data_dir,
      pid: process.pid,
    });
    if (initial !== null) await greet(config, state, url, initial);
    return await end(server, await signal, config.shutdown_timeout_s);
  } finally {
    await state?.close();
    lock.release();
  }
}

function takeDataDir(dataDir: string): DataDirLock {
  try {
    return lockDataDir(dataDir, new Date());
  } catch (error) {
    throw error instanceof DataDirError ? new Failure(error.message) : error;
  }
}

async function openStateOf(config: Config): Promise<State> {
  try {
    return await openState(statePath(config));
  } catch (error) {
    throw error instanceof StateError ? new Failure(error.message) : error;
  }
}

async function listen(
  config: Config,
  state: State,
  startServer: StartServer,
): Promise<RunningServer> {
  try {
    return await startServer(config, state);
  } catch (error) {
    throw addressFailure(config, error) ?? dataFailure(config, error) ?? error;
  }
}

/** Null when it is not the disk that the data is on. */
function dataFailure({ data_dir }: Config, error: unknown): Failure | null {
  const { code, message } = error as NodeJS.ErrnoException;
  const isDisk = error instanceof SQLiteError ||
    ["EIO", "ENOSPC", "EROFS", "EMFILE", "ENFILE", "EDQUOT"].includes(code ?? "");
  return isDisk ? new Failure(`Cannot use data directory ${data_dir}: ${message}.`) : null;
}

/** Null when the address is not to blame. */
function addressFailure(
  { listen, grpc_listen }: Pick<Config, "listen" | "grpc_listen">,
  error: unknown,
): Failure | null {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  const isGrpc = grpc_listen !== null && port === grpc_listen.port && port !== listen.port;
  const asked = addressText(isGrpc ? grpc_listen : listen);
  const flag = isGrpc ? "--grpc-listen" : "--listen";
  switch (code) {
    case "EADDRINUSE":
      return new Failure(
        `Address ${asked} is in use by another program. Stop it, or choose another with ${flag}.`,
      );
    case "EACCES":
      return new Failure(`This user may not listen on ${asked}. Choose a port above 1023.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new Failure(`${asked} is no address of this machine. Choose another with --listen.`);
    default:
      return null;
  }
}

async function greet(
  config: Config,
  state: State,
  url: string,
  { project_id, isNew }: { project_id: string; isNew: boolean },
): Promise<void> {
  const secret = await firstKey(state, project_id);
  if (secret === null && !isNew) return;
  say(`\n${greetingText({ url, dataDir: config.data_dir, project_id, secret })}\n`);
}

type Signal = "SIGTERM" | "SIGINT";

/** The first signal asks the server to end; a second SIGINT ends it at once. */
function nextSignal(): Promise<Signal> {
  // A reader of our output that has gone is no reason to end.
  process.on("SIGPIPE", () => {});
  return new Promise((resolve) => {
    let asked = false;
    process.on("SIGTERM", () => {
      asked = true;
      resolve("SIGTERM");
    });
    process.on("SIGINT", () => {
      if (asked) process.exit(exitCodes.interrupted);
      asked = true;
      resolve("SIGINT");
    });
  });
}

async function end(server: RunningServer, signal: Signal, timeoutS: number): Promise<number> {
  log.info("{signal}: ending", { signal });
  const started = performance.now();
  const late = Symbol();
  const { promise: timeout, resolve } = Promise.withResolvers<typeof late>();
  const timer = setTimeout(() => resolve(late), timeoutS * 1000);
  const outcome = await Promise.race([server.stop(), timeout]);
  clearTimeout(timer);
  if (outcome === late) {
    // Acknowledged events are in the log on disk: the next start finds them.
    log.error("Not ended within {timeoutS} s; giving up what was under way", { timeoutS });
    return exitCodes.failed;
  }
  log.info("Ended after {ms} ms", { ms: Math.round(performance.now() - started) });
  return signal === "SIGINT" ? exitCodes.interrupted : exitCodes.done;
}

/** For people and programs on this machine. */
function urlOf({ host, port }: Address): string {
  return `http://${addressText({ host: reachableHost(host), port })}`;
}
