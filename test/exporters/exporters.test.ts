// Real exporters against a real server, unchanged but for the URL: what each of them says of a model
// call arrives with its model, tokens, prompt, response, tools, user and session, and counts once.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { javascriptExporters, pythonExporters } from "../../scripts/exporters.ts";
import { type RunningServer, startServer } from "../end_to_end/binary.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { type Provider, startProvider } from "./provider.ts";

const key = "a-key-for-the-tests-only";
const installMsMax = 300_000;
const programMsMax = 60_000;
const visibleMsMax = 20_000;

const folder = temporaryFolder();
let server: RunningServer;
let provider: Provider;
let node: string;
let python: string;
let pythonLangfuse2: string;

beforeAll(async () => {
  [node, python, pythonLangfuse2] = await Promise.all([
    javascriptExporters(),
    pythonExporters("requirements.txt"),
    pythonExporters("requirements_langfuse_2.txt"),
  ]);
  provider = startProvider();
  // Where the programs find their packages.
  cpSync(join(import.meta.dir, "programs"), join(node, "programs"), {
    recursive: true,
  });
  server = await startServer({
    dataDir: folder.path,
    env: { WATCHLLM_INIT_PROJECT: "first", WATCHLLM_INIT_KEY: key },
  });
}, installMsMax);
afterAll(async () => {
  await server?.kill();
  await provider?.stop();
  folder.remove();
});

type Event = Record<string, unknown>;

interface Case {
  program: string;
  /** Events by name, and what each has to say. Names may be several times. */
  events: [name: string, expected: Event][];
  /** Of all events together: a call is counted once. */
  tokens: [input: number, output: number];
}

const weather = "What is the weather in Paris?";
/** Words that the field's text, or its JSON, contains. */
class Says {
  constructor(readonly words: string) {}
}
const says = (words: string) => new Says(words);
const forecast = says("sunny");

/** The two calls of a weather agent, as its provider counted them. */
const agentTokens: [number, number] = [167 + 214, 37 + 54];

const cases: Case[] = [
  {
    program: "otel.py",
    events: [
      ["chat gpt-4o", {
        event_type: "prompt_call",
        model: "gpt-4o",
        provider: "openai",
        user_id: "noor",
        session_id: "conversation-1",
        cost_estimate_usd: 0.000075,
        prompt: [{
          role: "user",
          parts: [{ type: "text", content: "Is it late?" }],
        }],
        response: [{
          role: "assistant",
          parts: [{ type: "text", content: "No." }],
        }],
      }],
      ["fails", {
        event_type: "span",
        status: "error",
        error: {
          type: "ValueError",
          message: "boom",
          stack: says("Traceback"),
        },
      }],
    ],
    tokens: [10, 5],
  },
  {
    program: "openllmetry.py",
    events: [
      ["openai.chat", {
        event_type: "prompt_call",
        // It leaves out the vendor.
        model: "GLM-5.2",
        finish_reason: says("tool_call"),
        tokens_input: 167,
        prompt: says(weather),
        response: says("get_weather"),
        tool_definitions: says("get_weather"),
      }],
      ["anthropic.chat", {
        event_type: "prompt_call",
        model: "claude-haiku-4-5-20251001",
        provider: "anthropic",
        tokens_input: 423,
        prompt: says("Who is the youngest?"),
        response: says("retrieve_entity_info"),
        cost_estimate_usd: (423 * 1 + 202 * 5) / 1e6,
      }],
    ],
    tokens: [167 + 423, 37 + 202],
  },
  {
    program: "openinference_openai.py",
    events: [["ChatCompletion", {
      event_type: "prompt_call",
      model: "meta-llama/Llama-3.3-70B-Instruct",
      user_id: "noor",
      session_id: "session-1",
      tags: ["beta"],
      prompt: says("Count from 1 to 5"),
      response: says("1, 2, 3, 4, 5"),
    }]],
    tokens: [46, 14],
  },
  {
    program: "openinference_langchain.py",
    events: [
      ["LangGraph", { event_type: "agent_step", output_data: forecast }],
      ["ChatOpenAI", {
        event_type: "prompt_call",
        model: "zai/GLM-5.2",
        prompt: says(weather),
      }],
      ["ChatOpenAI", { event_type: "prompt_call", response: forecast }],
      ["get_weather", {
        event_type: "tool_call",
        tool_name: "get_weather",
        output: forecast,
      }],
    ],
    tokens: agentTokens,
  },
  {
    program: "pydantic_ai_agent.py",
    events: [
      ["invoke_agent forecaster", {
        event_type: "agent_step",
        agent_name: "forecaster",
        tokens_input: null,
        output_data: forecast,
      }],
      ["chat zai/GLM-5.2", {
        event_type: "prompt_call",
        prompt: says(weather),
        response: says("get_weather"),
        system_prompt: says("Be brief."),
      }],
      ["chat zai/GLM-5.2", { event_type: "prompt_call", response: forecast }],
      ["execute_tool get_weather", {
        event_type: "tool_call",
        tool_name: "get_weather",
        input: { city: "Paris" },
        output: forecast,
      }],
    ],
    tokens: agentTokens,
  },
  ...["vercel_4.mjs", "vercel_5.mjs", "vercel_6.mjs", "vercel_7.mjs"].map((
    program,
  ): Case => ({
    program,
    events: program !== "vercel_7.mjs"
      ? [
        ["ai.generateText", {
          event_type: "agent_step",
          tokens_input: null,
          output_data: forecast,
        }],
        ["ai.generateText.doGenerate", {
          event_type: "prompt_call",
          model: "zai/GLM-5.2",
          user_id: "noor",
          session_id: "session-1",
          prompt: says(weather),
          tool_calls: says("get_weather"),
          tool_definitions: says("get_weather"),
        }],
        ["ai.generateText.doGenerate", {
          event_type: "prompt_call",
          response: forecast,
        }],
        ["ai.toolCall", {
          event_type: "tool_call",
          tool_name: "get_weather",
          output: forecast,
        }],
      ]
      : [
        ["chat zai/GLM-5.2", {
          event_type: "prompt_call",
          prompt: says(weather),
          response: says("get_weather"),
        }],
        ["chat zai/GLM-5.2", { event_type: "prompt_call", response: forecast }],
        ["execute_tool get_weather", {
          event_type: "tool_call",
          tool_name: "get_weather",
          output: forecast,
        }],
      ],
    tokens: agentTokens,
  })),
  ...["langfuse_otel.py", "langfuse_otel.mjs"].map((program): Case => ({
    program,
    events: [
      ["trip", {
        event_type: program.endsWith("py") ? "agent_step" : "span",
        [program.endsWith("py") ? "output_data" : "output"]: "booked",
      }],
      ["ask", {
        event_type: "prompt_call",
        model: "gpt-4o",
        user_id: "noor",
        session_id: "session-1",
        tags: ["beta"],
        prompt: [{ role: "user", content: "hi" }],
        response: { role: "assistant", content: "ho" },
        cost_reported_usd: program.endsWith("py") ? 0.5 : null,
      }],
      ...(program.endsWith("py")
        ? [
          ["look", {
            event_type: "tool_call",
            input: { a: 1 },
            output: "found",
          }],
          ["tone", { event_type: "score", score_value: 0.7 }],
          ["media", { event_type: "span", input: new Says("image/png") }],
        ] as [string, Event][]
        : []),
    ],
    tokens: [100, 20],
  })),
  ...["langfuse_ingestion.py", "langfuse_ingestion.mjs"].map((
    program,
  ): Case => ({
    program,
    events: [
      ["trip", {
        event_type: "agent_step",
        user_id: "noor",
        session_id: "session-1",
      }],
      ["ask", { event_type: "prompt_call", model: "gpt-4o", user_id: "noor" }],
      ["quality", { event_type: "score", score_value: 0.9 }],
    ],
    tokens: [100, 20],
  })),
];

for (const { program, events, tokens } of cases) {
  test(`exporters: ${program}`, async () => {
    const project_id = program.replaceAll(/\W/g, "_");
    const secret = await makeProject(project_id);
    await runProgram(program, project_id, secret);
    const { stored, missing } = await arrived(project_id, events);
    for (const [name, expected] of missing) {
      const alike = stored.filter((event) => event.name === name);
      expect((alike.length > 0 ? alike : stored).map(brief)).toEqual([{
        name,
        ...expected,
      }]);
    }
    const sum = (field: string) =>
      stored.reduce((total, event) => total + Number(event[field] ?? 0), 0);
    expect([sum("tokens_input"), sum("tokens_output")]).toEqual(tokens);
  }, programMsMax + visibleMsMax);
}

type Wanted = Case["events"];

/** The project's events once everything wanted is there, or what is still missing in the end. */
async function arrived(
  project_id: string,
  wanted: Wanted,
): Promise<{ stored: Event[]; missing: Wanted }> {
  for (const deadline = performance.now() + visibleMsMax;;) {
    const path = `/api/events?project_id=${project_id}&limit=500&order=asc`;
    const { events: stored } = await api<{ events: Event[] }>(path);
    const left = [...stored];
    const missing = wanted.filter(([name, expected]) => {
      const at = left.findIndex((event) => event.name === name && matches(event, expected));
      if (at !== -1) left.splice(at, 1);
      return at === -1;
    });
    if (missing.length === 0 || performance.now() > deadline) {
      return { stored, missing };
    }
    await Bun.sleep(200);
  }
}

function matches(event: Event, expected: Event): boolean {
  return Object.entries(expected).every(([field, wanted]) => {
    const value = event[field] ?? null;
    return wanted instanceof Says
      ? (typeof value === "string" ? value : JSON.stringify(value)).includes(
        wanted.words,
      )
      : Bun.deepEquals(value, wanted) || isClose(value, wanted) ||
        hasAll(value, wanted);
  });
}

function isClose(value: unknown, wanted: unknown): boolean {
  return typeof value === "number" && typeof wanted === "number" &&
    Math.abs(value - wanted) < 1e-9;
}

/** An object whose members are words to find. */
function hasAll(value: unknown, wanted: unknown): boolean {
  return typeof value === "object" && value !== null &&
    typeof wanted === "object" &&
    wanted !== null && !Array.isArray(wanted) &&
    matches(value as Event, wanted as Event);
}

function brief(event: Event): Event {
  const {
    resource: _resource,
    scope: _scope,
    attributes: _attributes,
    ...rest
  } = event;
  return rest;
}

async function api<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(server.url + path, {
    ...init,
    headers: { "content-type": "application/json" },
  });
  if (!response.ok) {
    throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }
  return await response.json() as T;
}

async function makeProject(project_id: string): Promise<string> {
  await api("/api/projects", {
    method: "POST",
    body: JSON.stringify({ project_id }),
  });
  const made = await api<{ key: string }>("/api/keys", {
    method: "POST",
    body: JSON.stringify({ project_id, scopes: ["ingest"] }),
  });
  return made.key;
}

async function runProgram(
  program: string,
  project_id: string,
  secret: string,
): Promise<void> {
  const isPython = program.endsWith(".py");
  const interpreter = program === "langfuse_ingestion.py" ? pythonLangfuse2 : python;
  const command = isPython
    ? [interpreter, join(import.meta.dir, "programs", program)]
    : ["node", join(node, "programs", program)];
  const child = Bun.spawn(command, {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secret}`,
      OTEL_SERVICE_NAME: program,
      LANGFUSE_HOST: server.url,
      LANGFUSE_BASEURL: server.url,
      LANGFUSE_BASE_URL: server.url,
      LANGFUSE_PUBLIC_KEY: project_id,
      LANGFUSE_SECRET_KEY: secret,
      OPENAI_BASE_URL: provider.openai,
      OPENAI_API_KEY: "none",
      ANTHROPIC_BASE_URL: provider.anthropic,
      ANTHROPIC_API_KEY: "none",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: programMsMax,
  });
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if (code !== 0) {
    throw new Error(`${program} ended with ${code}:\n${out}${err}`);
  }
}
