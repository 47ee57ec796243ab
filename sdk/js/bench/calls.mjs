// What a call costs the program that makes it. Runs in Node and Bun alike; `overhead.ts` starts it,
// with the subject, the folder that it is loaded from, and how many calls are timed.
import { createServer } from "node:http";
import { subjects } from "./subjects.mjs";

const [name, folder, callsText] = process.argv.slice(2);
const calls = Number(callsText);
const rounds = 5;
const chunk = 500;

// Takes everything, keeps nothing, and answers as the server does.
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(202, { "content-type": "application/json" });
    response.end(
      '{"accepted":100,"duplicates":0,"rejected":[],"event_ids":[]}',
    );
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { call, flush, dropped, around = (work) => work() } = await subjects[name](
  folder,
  server.address().port,
);

/**
 * Microseconds a call, of the time spent in the calls alone: by the clock, and of the processor, all
 * threads of the host's together, which other programs of the machine change less.
 */
async function round() {
  let ms = 0;
  let cpuUs = 0;
  for (let done = 0; done < calls; done += chunk) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    for (let i = 0; i < chunk; i++) call();
    ms += performance.now() - start;
    const used = process.cpuUsage(cpu);
    cpuUs += used.user + used.system;
    // What is done in the background is not the caller's wait.
    await flush?.();
  }
  return { us: ms / calls * 1000, cpuUs: cpuUs / calls };
}

const times = [];
for (let at = 0; at < rounds; at++) times.push(await around(round));
const sorted = (of) => times.map(of).sort((one, other) => one - other);
const us = sorted((time) => time.us);
const cpuUs = sorted((time) => time.cpuUs);
console.log(JSON.stringify({
  best_us: us[0],
  median_us: us[Math.floor(rounds / 2)],
  cpu_us: cpuUs[Math.floor(rounds / 2)],
  dropped: dropped?.() ?? {},
}));
process.exit(0);
