// Drawn signs: one shape for each event type and each status, so that colour is never alone.
import { html, type View } from "./html.ts";

const paths = {
  prompt_call:
    "M3 4.5A1.5 1.5 0 0 1 4.5 3h7A1.5 1.5 0 0 1 13 4.5v5a1.5 1.5 0 0 1-1.5 1.5H8l-3 2.5V11h-.5A1.5 1.5 0 0 1 3 9.500z",
  tool_call:
    "M9.8 3a3 3 0 0 0-2.7 4.300L3 11.4 4.6 13l4.1-4.100A3 3 0 0 0 12.7 5l-1.9 1.9-1.7-1.700L11 3.300A3 3 0 0 0 9.8 3z",
  agent_step: "M4 3v7a2 2 0 0 0 2 2h6M9.5 9.5 12 12l-2.5 2.500M4 6.500h5",
  error: "M8 3 14 13H2zM8 6.500v3M8 11.200v.3",
  assertion_failed: "M4 3h8v10H4zM6.2 6.200l3.6 3.600M9.8 6.2 6.2 9.8",
  hallucination_detected: "M2 8s2.2-4 6-4 6 4 6 4-2.2 4-6 4-6-4-6-4zM8 8.200v-.4M3 13 13 3",
  performance_alert: "M8 4a5 5 0 1 0 0 10A5 5 0 0 0 8 4zM8 9V6.500M6.5 2h3",
  cost_threshold_exceeded:
    "M8 2.500v11M10.8 5.200C10.3 4.4 9.3 4 8 4 6.4 4 5.2 4.7 5.2 6s1.1 1.7 2.8 2 2.9.8 2.9 2.100S9.7 12 8 12c-1.4 0-2.5-.5-3-1.4",
  span: "M2.5 5h7M5 8h8M4 11h5",
  score: "m8 2.8 1.6 3.3 3.6.5-2.6 2.6.6 3.600L8 11.100l-3.2 1.7.6-3.600L2.8 6.600l3.6-.5z",
  run: "M3.5 3v10M3.5 5H8M3.5 11h3M10 3.500h3v3h-3zM8.5 9.500h3v3h-3z",
  chart: "M2.5 13.500h11M4 11V8.500M7 11V4M10 11V6.500M13 11V3",
  sql:
    "M8 2.500c2.8 0 4.5.9 4.5 2s-1.7 2-4.5 2-4.5-.9-4.5-2 1.7-2 4.5-2zM3.5 4.500v7c0 1.1 1.7 2 4.5 2s4.5-.9 4.5-2v-7M3.5 8c0 1.1 1.7 2 4.5 2s4.5-.9 4.5-2",
  pulse: "M1.5 8.5h2.7l2-4.7 3 8.7 2-5.2.9 1.2h2.4",
  list: "M2.5 4h1M6 4h7.500M2.5 8h1M6 8h7.500M2.5 12h1M6 12h7.5",
  success: "m3.5 8.5 3 3 6-7",
  failure: "m4 4 8 8M12 4l-8 8",
  timeout: "M8 2.500a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.200l2 1.3",
  warning: "M8 3v6.500M8 12.300v.4",
  close: "m4 4 8 8M12 4l-8 8",
  copy: "M5.5 5.500h7v7h-7zM3.5 10.500v-7h7",
  chevron: "m6 4 4 4-4 4",
  back: "m10 3.5-4.5 4.5 4.5 4.5",
  forward: "m6 3.5 4.5 4.500L6 12.5",
  zoom_out: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM10 10l3.5 3.500M5 7h4",
  search: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM10 10l3.5 3.5",
  theme: "M8 2.500a5.5 5.5 0 1 0 0 11zM8 2.500a5.5 5.5 0 0 1 0 11",
  keyboard: "M2 4.500h12v7H2zM4.5 7h.3M7 7h.3M9.5 7h.3M11.5 7h.3M5 9.500h6",
  bell: "M4 11V7.500a4 4 0 0 1 8 0V11l1 1.500H3zM6.800 14h2.400",
  clock: "M8 2.500a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.200l2 1.3",
  pause: "M5.5 4v8M10.5 4v8",
  up: "M8 12.500v-9M4 7l4-4 4 4",
  chat:
    "M3 4.500A1.5 1.5 0 0 1 4.5 3h7A1.5 1.5 0 0 1 13 4.500v5a1.5 1.5 0 0 1-1.5 1.500H8l-3 2.500V11h-.5A1.5 1.5 0 0 1 3 9.500z",
  out: "M9 3h4v4M13 3 7.5 8.500M11 9.500V13H3V5h3.5",
  mask:
    "M2.5 5c3.6-1.400 7.400-1.400 11 0-.3 3.600-1.600 6-3.200 6-1 0-1.400-1.500-2.300-1.500S6.700 11 5.700 11c-1.600 0-2.900-2.400-3.200-6zM5.200 7h1.400M9.400 7h1.400",
  settings: "M3 5h6M12 5h1M3 11h1M7 11h6M10.500 3.500v3M5.500 9.500v3",
  download: "M8 2.500v7M5 7l3 3 3-3M3 13h10",
} as const;
export type IconName = keyof typeof paths;

export function icon(name: IconName, label?: string): View {
  return html`
    <svg class=${`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden=${label === undefined
      ? "true"
      : null} role=${label === undefined ? null : "img"}
      aria-label=${label}>
      <path d=${paths[name]} />
    </svg>
  `;
}

export function typeIcon(type: string): View {
  const name = (type in paths ? type : "span") as IconName;
  return html`<span class=${`type type-${type}`} title=${typeWord(type)}>${
    icon(name, typeWord(type))
  }</span>`;
}

const words: Record<string, string> = {
  prompt_call: "Model call",
  tool_call: "Tool call",
  agent_step: "Agent step",
  error: "Error",
  assertion_failed: "Failed assertion",
  hallucination_detected: "Hallucination",
  performance_alert: "Performance alert",
  cost_threshold_exceeded: "Cost alert",
  span: "Span",
  score: "Score",
};

export function typeWord(type: string): string {
  return words[type] ?? type;
}

const statusWords: Record<string, [IconName, string]> = {
  success: ["success", "success"],
  error: ["failure", "error"],
  timeout: ["timeout", "timeout"],
  assertion_failed: ["failure", "assertion failed"],
  warning: ["warning", "warning"],
};

/** The status as sign and word. */
export function statusMark(status: string): View {
  const [name, word] = statusWords[status] ?? ["warning", status];
  return html`<span class=${`status status-${status}`}>${icon(name)}${word}</span>`;
}
