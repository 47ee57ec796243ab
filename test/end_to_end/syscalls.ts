// A server whose system calls fail, are slow, or end it: strace puts the faults between the process
// and the kernel, so that the real binary meets them where a real disk would make them.
import { readdirSync, readFileSync } from "node:fs";
import { builtBinary } from "./binary.ts";

/** Null where there is no strace, or where this user may not use it. */
const strace = Bun.which("strace");
export const canInject = strace !== null &&
  Bun.spawnSync([strace, "-e", "trace=none", "true"], { stderr: "ignore" }).success;

function tamper(fault: string): string[] {
  return [
    strace!,
    "--follow-forks",
    "--quiet=all",
    "--output=/dev/null",
    `--trace=${fault.split(":", 1)[0]}`,
    `--inject=${fault}`,
  ];
}

/**
 * The command of a server that meets a fault such as `fdatasync:signal=SIGKILL:when=3`; each thread
 * counts its own calls. strace's manual, "Syscall tampering", has the words.
 */
export async function faulty(fault: string): Promise<string[]> {
  const [program, ...options] = tamper(fault);
  // The tracer is no parent: signals and exit codes are the server's own.
  return [program!, "--daemonize", ...options, await builtBinary()];
}

/** Puts a fault between a running server and the kernel; the function that it returns ends it. */
export async function makeFaulty(pid: number, fault: string): Promise<() => Promise<void>> {
  const tracer = Bun.spawn([...tamper(fault), `--attach=${pid}`], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  for (const deadline = performance.now() + attachMsMax; !isTraced(pid);) {
    if (performance.now() > deadline) throw new Error("strace could not be attached");
    await Bun.sleep(10);
  }
  return async () => {
    tracer.kill("SIGINT");
    await tracer.exited;
  };
}

/** Whether every thread of a process has a tracer. */
function isTraced(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((task) =>
    !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/task/${task}/status`, "utf8"))
  );
}

const attachMsMax = 10_000;
