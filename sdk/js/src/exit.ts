// The end of the program: the last events leave before it, within a bound.
import type { Delivery } from "./delivery.ts";
import { host } from "./host.ts";
import { limits } from "./limits.ts";

/** Returns what undoes it. */
export function watchExit(delivery: Delivery): () => void {
  const undo = [watchProcess(delivery), watchPage(delivery)];
  return () => undo.forEach((one) => one());
}

function watchProcess(delivery: Delivery): () => void {
  const { process } = host;
  if (process?.on === undefined || process.versions?.node === undefined) {
    return () => {};
  }
  let deadlineMs = 0;
  // Comes again whenever the work it started has ended.
  const beforeExit = () => {
    if (deadlineMs === 0) deadlineMs = Date.now() + limits.exitMs;
    const leftMs = deadlineMs - Date.now();
    if (leftMs > 0) void delivery.flush(leftMs);
  };
  let isEnding = false;
  const terminate = () => {
    // With another listener, the program ends itself when it sees fit.
    if ((process.listenerCount?.("SIGTERM") ?? 1) > 1) {
      return void delivery.flush(limits.exitMs);
    }
    const end = () => {
      process.removeListener?.("SIGTERM", terminate);
      process.kill?.(process.pid!, "SIGTERM");
    };
    if (isEnding) return end();
    isEnding = true;
    void delivery.flush(limits.exitMs).then(end);
  };
  // The last moment, which process.exit() leaves too: only what goes to disk can still be saved.
  const exit = () => delivery.spoolAll();
  process.on("beforeExit", beforeExit);
  process.on("exit", exit);
  try {
    process.on("SIGTERM", terminate);
  } catch {
    // Not where signals are somebody else's.
  }
  return () => {
    process.removeListener?.("beforeExit", beforeExit);
    process.removeListener?.("exit", exit);
    process.removeListener?.("SIGTERM", terminate);
  };
}

function watchPage(delivery: Delivery): () => void {
  const { document } = host;
  if (document === undefined || host.addEventListener === undefined) {
    return () => {};
  }
  // `visibilitychange` bubbles up to the window. Phones often give no other sign of the end.
  const hide = () => {
    if (document.visibilityState === "hidden") delivery.sendAlive();
  };
  const leave = () => delivery.sendAlive();
  host.addEventListener("visibilitychange", hide, true);
  host.addEventListener("pagehide", leave, true);
  return () => {
    host.removeEventListener?.("visibilitychange", hide, true);
    host.removeEventListener?.("pagehide", leave, true);
  };
}
