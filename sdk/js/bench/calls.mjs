// What a call costs the program that makes it, beside a bare push of the same object. Runs in Node,
// Bun and Deno alike; `overhead.ts` starts it. Arguments: the built index.js, and calls to time.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [file, callsText] = process.argv.slice(2);
const calls = Number(callsText);
const rounds = 5;
const chunk = 1000;

const aisentry = await import(pathToFileURL(file).href);

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

const event = {
  model: "gpt-4o",
  provider: "openai",
  prompt: [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: "What is the capital of France? ".repeat(4) },
  ],
  response: "Paris is the capital of France. ".repeat(5),
  tokens_input: 123,
  tokens_output: 45,
  latency_ms: 812.5,
  finish_reason: "stop",
  session_id: "session-1",
};

/** Microseconds a call, of the time spent in the calls alone: the best of some rounds. */
async function time(call) {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    let ms = 0;
    for (let done = 0; done < calls; done += chunk) {
      const start = performance.now();
      for (let i = 0; i < chunk; i++) call();
      ms += performance.now() - start;
      // The background work is measured by itself, below.
      await aisentry.flush();
    }
    best = Math.min(best, ms / calls * 1000);
  }
  return best;
}

let list = [];
const push = () => {
  if (list.length >= 10_000) list = [];
  list.push({ ...event });
};
const log = () => aisentry.logPromptCall(event);

const results = { push_us: await time(push), off_us: await time(log) };
aisentry.init({
  dsn: `http://a-key-of-the-bench@127.0.0.1:${server.address().port}/bench`,
});
results.log_us = await time(log);
results.run_us = await aisentry.run("bench", () => time(log));
const cpu = process.cpuUsage();
const before = aisentry.stats().accepted;
await time(log);
const { user, system } = process.cpuUsage(cpu);
// With compression and both ends of the connection.
results.cpu_us = (user + system) / (aisentry.stats().accepted - before);
results.dropped = aisentry.stats().dropped;
await aisentry.close();
server.close();
console.log(JSON.stringify(results));
