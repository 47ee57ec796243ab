// Writes src/map/CONVENTIONS.md from the mapping's own data: `deno task conventions`.
import { join } from "node:path";
import { eventTypes, fieldOf } from "../src/map/event.ts";
import { conventions, placesOf } from "../src/map/resolve.ts";
import { type Target, targets } from "../src/map/target.ts";
import { root } from "./inputs.ts";

export const conventionsPath = join(root, "src/map/CONVENTIONS.md");

const introduction = `# From OpenTelemetry to events

Made from the mapping itself by \`deno task conventions\`. Every convention is read at once; a record
is known by its attributes, never by the name of its instrumentation. Of each field the first place
that has a value counts, and values are never added up across names. All original attributes are
kept: those that became a field as they were are named in \`telemetry.moved\`, the rest stand in
\`attributes\`. \`GET /api/events/{event_id}/mapping\` tells it for one event, and
\`watchllm remap\` maps history again.

Tokens and costs are read from model calls, embeddings and reranking alone. Agents, workflows and
outer spans repeat the sums of what they contain, so theirs are left among the attributes. Cached
tokens that exceed the input were counted beside it and are added to it, and so is reasoning to the
output; \`telemetry.rules\` says when that happened.
`;

export function conventionsText(): string {
  return [introduction, kinds(), producers(), fields()].join("\n");
}

function kinds(): string {
  const rows = Object.entries(eventTypes).map(([kind, type]) => `| ${kind} | \`${type}\` |`);
  return [
    "## What is stored as what",
    "",
    "| Operation | event_type |",
    "| --- | --- |",
    ...rows,
    "",
  ]
    .join("\n");
}

function producers(): string {
  const rows = conventions.map(({ id, title, source }) => `| ${title} | \`${id}\` | <${source}> |`);
  return ["## Conventions", "", "| Convention | id | Names |", "| --- | --- | --- |", ...rows, ""]
    .join("\n");
}

function fields(): string {
  const lines = ["## Fields, and where they are looked for, in order", ""];
  for (const [target, places] of placesOf(conventions)) {
    if (places.length === 0) continue;
    lines.push(`### ${nameOf(target)}`, "");
    for (const { convention, source } of places) {
      lines.push(`1. \`${source.label}\` · ${convention.title}`);
    }
    lines.push("");
  }
  return lines.join("\n");
}

function nameOf(target: Target): string {
  if (target === "operation") return "event_type";
  const names = new Set([
    fieldOf(target, "model"),
    fieldOf(target, "agent"),
    fieldOf(target, "tool"),
  ]);
  return `\`${[...names].join("`, `")}\` (${targets[target]})`;
}

if (import.meta.main) await Bun.write(conventionsPath, conventionsText());
