// The reference for ingestion: parses the body, appends it to a file, syncs, and does nothing else.
// Group commit like the product's, so that the disk is used alike.
import { fdatasync, openSync, writeSync } from "node:fs";

const [path] = process.argv.slice(2);
const fd = openSync(path!, "a");
let waiting: { bytes: Uint8Array; done(): void }[] = [];
let syncing = false;

function drain(): void {
  if (syncing || waiting.length === 0) return;
  syncing = true;
  const batch = waiting;
  waiting = [];
  writeSync(fd, Buffer.concat(batch.map(({ bytes }) => bytes)));
  fdatasync(fd, (error) => {
    if (error) throw error;
    for (const { done } of batch) done();
    syncing = false;
    drain();
  });
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    JSON.parse(new TextDecoder().decode(bytes));
    await new Promise<void>((done) => {
      waiting.push({ bytes, done });
      drain();
    });
    return new Response("{}", { status: 202 });
  },
});
console.log(server.port);
