// `watchllm healthcheck`: is the server at the configured address ready? For containers without curl.
import { addressText, type Config } from "../config.ts";
import { reachableHost } from "../std/loopback.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { say } from "./output.ts";

const timeoutMs = 4000;

export async function run({ config }: Call): Promise<number> {
  const url = `${localUrl(config)}/readyz`;
  let status: number;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    status = response.status;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${url} does not answer: ${reason}`);
  }
  if (status !== 200) throw new Failure(`${url} answers ${status}: not ready.`);
  say("ready");
  return exitCodes.done;
}

/** Where a client on this machine reaches the server of these settings. */
export function localUrl({ listen }: Pick<Config, "listen">): string {
  return `http://${addressText({ host: reachableHost(listen.host), port: listen.port })}`;
}
