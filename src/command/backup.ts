// `watchllm backup`, `backup verify` and `restore`: a whole copy of the data directory, made while a
// server runs on it or not.
import { resolve } from "node:path";
import { build } from "../embedded.ts";
import { systemClock } from "../std/clock.ts";
import { BackupError, makeBackup } from "../store/backup.ts";
import { restoreBackup, verifyBackup } from "../store/restore.ts";
import { statePath } from "../store/state.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { print, say } from "./output.ts";

export async function make(call: Call): Promise<number> {
  const { config, options } = call;
  // Prompts are for this user's eyes, whoever owns the folder that they lie in.
  process.umask(0o077);
  const target = resolve(call.arguments[0]!);
  const { files, began_at, ended_at } = await told(() =>
    makeBackup({
      dataDir: config.data_dir,
      target,
      statePath: statePath(config),
      version: build.version,
      nowMs: () => systemClock.nowMs(),
    })
  );
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  await print(
    options.get("format") === "json"
      ? JSON.stringify({ folder: target, files: files.length, bytes, began_at, ended_at }, null, 2)
      : `${files.length} files, ${bytes} bytes in ${target}: all that was acknowledged before ` +
        `${began_at}.`,
  );
  say(`Look at every byte of it: watchllm backup verify ${target}`);
  return exitCodes.done;
}

export async function verify(call: Call): Promise<number> {
  const folder = resolve(call.arguments[0]!);
  const { manifest, bytes, problems } = await told(() => verifyBackup(folder));
  const { files, began_at, version } = manifest;
  const whole = problems.length === 0;
  await print(
    call.options.get("format") === "json"
      ? JSON.stringify({ whole, files: files.length, bytes, began_at, version, problems }, null, 2)
      : whole
      ? `The backup of ${began_at} is whole: ${files.length} files, ${bytes} bytes read.`
      : [`The backup of ${began_at} is not whole:`, ...problems].join("\n"),
  );
  return whole ? exitCodes.done : exitCodes.failed;
}

export async function restore(call: Call): Promise<number> {
  const { config } = call;
  process.umask(0o077);
  const { manifest, bytes } = await told(() =>
    restoreBackup(resolve(call.arguments[0]!), config.data_dir)
  );
  await print(
    `${manifest.files.length} files, ${bytes} bytes restored to ${config.data_dir}: all that was ` +
      `acknowledged before ${manifest.began_at}.`,
  );
  say("What was erased after that is there again: erase it again.");
  return exitCodes.done;
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackupError) throw new Failure(error.message);
    const { code, message } = error as NodeJS.ErrnoException;
    // Full disks and folders that may not be written are the user's to mend.
    if (code !== undefined) throw new Failure(message);
    throw error;
  }
}
