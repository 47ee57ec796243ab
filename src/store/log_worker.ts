// The thread that writes the log. fdatasync waits here, because the pool that asynchronous file
// calls share is also DuckDB's: with four queries running, a sync waited 100 ms for its turn.
import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export type LogRequest =
  | { id: number; append: { path: string; bytes: Uint8Array } }
  | { id: number; close: true };

export type LogReply =
  | { id: number; ok: true }
  | { id: number; ok: false; code: string; message: string };

declare const self: Worker;

let open: { path: string; fd: number; good: number } | null = null;

function append(path: string, bytes: Uint8Array): void {
  if (open === null || open.path !== path) {
    close();
    // The log never appends to a file of an earlier life: recovery has sealed those.
    const fd = openSync(path, "ax", 0o600);
    open = { path, fd, good: 0 };
    syncFolder(dirname(path));
  }
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(open.fd, bytes, at, bytes.length - at);
    fdatasyncSync(open.fd);
    open.good += bytes.length;
  } catch (error) {
    abandon();
    throw error;
  }
}

/** After a failed write or sync the file is never written again: the kernel may have lost pages. */
function abandon(): void {
  if (open === null) return;
  try {
    ftruncateSync(open.fd, open.good);
    fdatasyncSync(open.fd);
  } catch {
    // Readers know how much of the file is good, and recovery drops what has no trailer.
  }
  close();
}

function close(): void {
  if (open === null) return;
  const { fd } = open;
  open = null;
  closeSync(fd);
}

function syncFolder(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

self.onmessage = ({ data }: MessageEvent<LogRequest>) => {
  try {
    if ("append" in data) append(data.append.path, data.append.bytes);
    else close();
    self.postMessage({ id: data.id, ok: true } satisfies LogReply);
  } catch (error) {
    const { code = "EUNKNOWN", message } = error as NodeJS.ErrnoException;
    self.postMessage({ id: data.id, ok: false, code, message } satisfies LogReply);
  }
};
