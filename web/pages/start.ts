// A project without events: what to send, ready to paste, and a page that turns live by itself.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import { linkTo } from "../parts/address.ts";
import { useHasMetrics } from "../parts/chart_tabs.ts";
import { Copy } from "../parts/copy.ts";
import { html, type View } from "../parts/html.ts";
import { enter, entry, fit, project, projects } from "../parts/state.ts";

/** When the live stream is not to be had, the page asks this often. */
const askEveryMs = 3000;

type Snippet = readonly [name: string, install: string | null, code: string];

function snippets(origin: string, project_id: string, local: boolean): Snippet[] {
  const authorization = local ? "" : ` \\\n  -H 'Authorization: Bearer <key>'`;
  const dsn = `${origin.replace("://", `://${local ? "local" : "<key>"}@`)}/${project_id}`;
  return [
    [
      "curl",
      null,
      `curl ${origin}/v1/projects/${project_id}/events${authorization} \\
  -H 'Content-Type: application/json' \\
  -d '{
    "event_type": "prompt_call",
    "model": "gpt-4o",
    "provider": "openai",
    "prompt": "Say hello",
    "response": "Hello!",
    "tokens_input": 9,
    "tokens_output": 3,
    "latency_ms": 420
  }'`,
    ],
    [
      "OpenTelemetry",
      null,
      `# Any OpenTelemetry exporter, unchanged: GenAI, OpenInference, OpenLLMetry, Vercel AI SDK…
export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}/v1/projects/${project_id}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf${
        local ? "" : "\nexport OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<key>"
      }

# Claude Code
export CLAUDE_CODE_ENABLE_TELEMETRY=1
export OTEL_LOGS_EXPORTER=otlp
export OTEL_METRICS_EXPORTER=otlp`,
    ],
    [
      "Langfuse SDK",
      null,
      `export LANGFUSE_BASE_URL=${origin}
export LANGFUSE_PUBLIC_KEY=${project_id}
export LANGFUSE_SECRET_KEY=${local ? "<a key: watchllm key create>" : "<key>"}`,
    ],
    [
      "JavaScript",
      "npm install aisentry",
      `import { init, logPromptCall } from "aisentry";

init({ dsn: "${dsn}" });

logPromptCall({
  model: "gpt-4o",
  provider: "openai",
  prompt: "Say hello",
  response: "Hello!",
  tokens_input: 9,
  tokens_output: 3,
  latency_ms: 420,
});`,
    ],
    [
      "Python",
      "pip install aisentry",
      `import aisentry

aisentry.init(dsn="${dsn}")

aisentry.log_prompt_call(
    model="gpt-4o",
    provider="openai",
    prompt="Say hello",
    response="Hello!",
    tokens_input=9,
    tokens_output=3,
    latency_ms=420,
)
aisentry.flush()`,
    ],
  ];
}

export function StartPage(): View {
  const [chosen, setChosen] = useState(0);
  useEffect(() => {
    const look = () => void fit();
    const stream = api.live({ project_id: project.value });
    stream.addEventListener("event", look);
    const timer = setInterval(() => {
      look();
      // `watchllm demo` makes a project of its own.
      void enter();
    }, askEveryMs);
    return () => {
      stream.close();
      clearInterval(timer);
    };
  }, [project.value]);
  const local = entry.value.state === "open" && entry.value.session.local;
  const list = snippets(location.origin, project.value, local);
  const [, install, code] = list[chosen] ?? list[0]!;
  const hasMetrics = useHasMetrics();
  const others = projects.value.filter(({ project_id }) => project_id !== project.value);
  return html`
    <section class="start">
      <h1><span class="pulse" aria-hidden="true"></span>Waiting for events…</h1>
      <p class="dim">This project has none yet. Send one, and this page shows it at once.</p>
      ${hasMetrics
        ? html`<p>Metrics have come in: <a href=${linkTo("/charts/metrics")}>see them</a>.</p>`
        : null}
      ${others.length === 0
        ? null
        : html`<p>Or look at ${
          others.slice(0, 5).map(({ project_id, name }, index) => [
            index === 0 ? "" : ", ",
            html`<a href=${
              linkTo("/", { project: project_id, since: null, until: null })
            }>${name}</a>`,
          ])
        }.</p>`}
    <div class="tabs" role="tablist" aria-label="How to send">${list.map(([name], index) =>
      html`
        <button key=${name} type="button" role="tab" id=${`tab-${index}`} aria-selected=${index ===
          chosen}
          aria-controls="snippet" onClick=${() => setChosen(index)}>${name}</button>
      `
    )}</div>
      <div id="snippet" role="tabpanel" aria-labelledby=${`tab-${chosen}`}>
          ${install === null ? null : html`
            <div class="snippet">
              <pre>${install}</pre>
              <${Copy} text=${install} label="Copy the command" />
            </div>
          `}
          <div class="snippet"><pre>${code}</pre><${Copy} text=${code} label="Copy the code" word="Copy" /></div>
        </div>
      <p class="dim">Only looking? <code>watchllm demo</code> fills a project with examples.</p>
    </section>
  `;
}
