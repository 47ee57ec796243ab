// What could not be delivered, kept in a folder and sent by whoever runs here next.
//
// One file a batch, of JSON lines, named by the address that it is for; the key is not in it. A file
// is claimed by renaming it, so that two processes never send the same one; one that dies meanwhile
// leaves its claim, which is taken over later. Events have their ids: a second delivery is harmless.
import type * as Fs from "node:fs";
import type * as Path from "node:path";
import type { Spool } from "./delivery.ts";
import { host } from "./host.ts";
import { newRunId } from "./id.ts";
import { limits } from "./limits.ts";
import type { Settings } from "./settings.ts";
import { sha256 } from "./sha256.ts";

const ready = ".jsonl";
const claimed = ".claimed";

interface Kept {
  path: string;
  bytes: number;
  ageMs: number;
}

/** Null where there is no disk. */
export function openSpool({ spool_dir, endpoint }: Settings): Spool | null {
  const fs = host.process?.getBuiltinModule?.("node:fs") as
    | typeof Fs
    | undefined;
  const path = host.process?.getBuiltinModule?.("node:path") as
    | typeof Path
    | undefined;
  if (fs === undefined || path === undefined || spool_dir === undefined) {
    return null;
  }
  const prefix = sha256(endpoint).slice(0, 16);

  /** Oldest first. */
  const kept = (): Kept[] => {
    if (!fs.existsSync(spool_dir)) return [];
    const names = fs.readdirSync(spool_dir).filter((name) =>
      name.startsWith(prefix) &&
      (name.endsWith(ready) || name.endsWith(ready + claimed))
    );
    return names.sort().flatMap((name) => {
      const file = path.join(spool_dir, name);
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      if (stat === undefined) return [];
      return [{
        path: file,
        bytes: stat.size,
        ageMs: Date.now() - stat.mtimeMs,
      }];
    });
  };

  const claim = (file: Kept) => {
    if (file.ageMs > limits.spoolMsMax) {
      fs.rmSync(file.path, { force: true });
      return null;
    }
    const isClaimed = file.path.endsWith(claimed);
    if (isClaimed && file.ageMs < limits.spoolClaimMsMax) return null;
    const path = isClaimed ? file.path : file.path + claimed;
    fs.renameSync(file.path, path);
    // A claim's age counts from now.
    fs.utimesSync(path, new Date(), new Date());
    const lines = fs.readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
    return {
      lines,
      done: () => quietly(() => fs.rmSync(path, { force: true }), undefined),
      giveBack: () =>
        quietly(
          () => fs.renameSync(path, path.slice(0, -claimed.length)),
          undefined,
        ),
    };
  };

  return {
    put: (lines) =>
      quietly(() => {
        const body = lines.join("\n") + "\n";
        fs.mkdirSync(spool_dir, { recursive: true, mode: 0o700 });
        const waiting = kept().reduce((sum, file) => sum + file.bytes, 0);
        if (waiting + body.length > limits.spoolBytesMax) return false;
        // Ids of ours sort by time.
        const file = path.join(
          spool_dir,
          `${prefix}-${newRunId(Date.now())}${ready}`,
        );
        fs.writeFileSync(`${file}.draft`, body, { mode: 0o600, flag: "wx" });
        fs.renameSync(`${file}.draft`, file);
        return true;
      }, false),
    claim: () =>
      quietly(() => {
        for (const file of kept()) {
          const lines = claim(file);
          if (lines !== null) return lines;
        }
        return null;
      }, null),
  };
}

/** A disk that fails is no reason for a program to. */
function quietly<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
