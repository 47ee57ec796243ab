// What a program feels of a server that is away: the memory it holds, and the slowest call.
//   bun sdk/js/build.ts --outdir=<folder> && node sdk/js/bench/outage.mjs <folder> [minutes] [refuse | hang]
// It logs a thousand events of a kilobyte a second, for ten minutes unless told otherwise. Memory is
// flat when the last lines say what the third does: by then the queue is full.
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const burstCalls = 50;
const pauseMs = 50;
const lines = 20;

const [folder, minutes = "10", how = "refuse"] = process.argv.slice(2);
const { close, init, logPromptCall, stats } = await import(
  pathToFileURL(`${folder}/index.js`).href
);

// It takes connections and never says a word, or is gone.
const server = createServer(() => {});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();
if (how === "refuse") server.close();
init({ dsn: `http://a-key-of-the-bench@127.0.0.1:${port}/bench` });

const start = performance.now();
const seconds = () => (performance.now() - start) / 1000;
for (let line = 1; line <= lines; line++) {
  const waits = [];
  while (seconds() < Number(minutes) * 60 * line / lines) {
    for (let i = 0; i < burstCalls; i++) {
      const called = performance.now();
      logPromptCall({ model: "m", prompt: "x".repeat(1000) });
      waits.push(performance.now() - called);
    }
    await pause(pauseMs);
  }
  waits.sort((one, other) => one - other);
  const { rss, heapUsed } = process.memoryUsage();
  console.log(
    `${seconds().toFixed(1)} s`,
    `${(rss / 2 ** 20).toFixed(1)} MiB, heap ${(heapUsed / 2 ** 20).toFixed(1)} MiB`,
    `calls ${waits.length}`,
    `median ${(waits[waits.length >> 1] * 1000).toFixed(1)} us`,
    `slowest ${waits.at(-1).toFixed(1)} ms`,
    JSON.stringify(stats()),
  );
}
const ended = performance.now();
await close();
console.log(`close took ${((performance.now() - ended) / 1000).toFixed(1)} s`);
process.exit(0);
