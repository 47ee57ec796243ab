// Writes src/event.ts, the SDK's types of events, from the server's field table:
//   bun sdk/js/generate.ts
import { join } from "node:path";
import { type Field, fields } from "../../src/event.ts";

const file = join(import.meta.dir, "src/event.ts");

/** What a program sends; the key decides on the project. */
export const sent = (fields as readonly Field[]).filter((field) =>
  !field.derived && field.name !== "project_id" && field.name !== "event_type"
);

/** Field ids of the table go by topic. */
const between = (first: number, last: number) =>
  sent.filter((field) => field.id >= first && field.id <= last).map((field) => field.name);

interface Shape {
  type: string;
  help: string;
  names: string[];
  required?: string;
}

const base = between(1, 29);
const shapes: Shape[] = [
  { type: "PromptCall", help: "A call of a model.", names: between(30, 59) },
  {
    type: "ToolCall",
    help: "A tool that ran.",
    names: between(60, 69),
    required: "tool_name",
  },
  {
    type: "AgentStep",
    help: "A step of an agent.",
    names: [...between(70, 75), "context"],
  },
  {
    type: "ErrorEvent",
    help: "Something that went wrong.",
    names: ["context", "stack_trace"],
    required: "error",
  },
  {
    type: "AssertionFailed",
    help: "An expectation that was not met.",
    names: between(80, 84),
    required: "assertion_name",
  },
  {
    type: "Hallucination",
    help: "Made-up content that was found.",
    names: between(90, 94),
  },
  {
    type: "Score",
    help: "Feedback on a run, or the outcome of an evaluation.",
    names: between(110, 112),
    required: "name",
  },
];

/** Any value fits into the kind that is left out here. */
const kindNames = [...new Set(sent.map((field) => field.kind))].filter((kind) => kind !== "value");
const namesOf = (kind: string) =>
  sent.filter((field) => field.kind === kind).map((field) => field.name).join(
    " ",
  );

/** The text of src/event.ts. */
export function generate(): string {
  const enums = (fields as readonly Field[]).filter((field) => field.kind === "enum");
  const rest = sent.map((field) => field.name).filter((name) => !base.includes(name));
  return [
    "// What a program can send: types made from the server's field table by generate.ts.",
    "// Do not edit: a test compares this file with the table.",
    "// deno-fmt-ignore-file",
    "",
    ...enums.flatMap((field) => [
      `export type ${typeName(field)} =`,
      ...field.values!.map((value) => `  | ${JSON.stringify(value)}`).join("\n")
        .concat(";").split("\n"),
      "",
    ]),
    "/** What every event can have. `null` and `undefined` count as absent. */",
    "export interface EventFields {",
    ...base.flatMap((name) => member(name, false)),
    "}",
    "",
    ...shapes.flatMap((shape) => [
      `/** ${shape.help} */`,
      `export interface ${shape.type} extends EventFields {`,
      ...(shape.required !== undefined && base.includes(shape.required)
        ? member(shape.required, true)
        : []),
      ...shape.names.flatMap((name) => member(name, name === shape.required)),
      "}",
      "",
    ]),
    "/** Any event: every field there is, and its type. */",
    "export interface AnyEvent extends EventFields {",
    "  /** What happened. */",
    "  event_type: EventType;",
    ...rest.flatMap((name) => member(name, false)),
    "}",
    "",
    "/** Names of the fields of each kind, as the server knows them. */",
    "export const fieldKinds = {",
    ...kindNames.map((kind) => `  ${kind}: ${JSON.stringify(namesOf(kind))},`),
    "} as const;",
    "",
    "/** Words that a field may hold. */",
    "export const fieldWords: Record<string, string> = {",
    ...enums.map((field) => `  ${field.name}: ${JSON.stringify(field.values!.join(" "))},`),
    "};",
    "",
  ].join("\n");
}

function member(name: string, required: boolean): string[] {
  const field = sent.find((other) => other.name === name);
  if (field === undefined) throw new Error(`The field table has no ${name}.`);
  const type = typeOf(field) +
    (required || typeOf(field) === "unknown" ? "" : " | null");
  const help = name === "error"
    ? "Whatever was thrown, a message, or {message, type, code, stack}."
    : field.help;
  return [`  /** ${help} */`, `  ${name}${required ? "" : "?"}: ${type};`];
}

function typeName(field: Field): string {
  return field.name.split("_").map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}

function typeOf(field: Field): string {
  if (field.name === "error") return "unknown";
  switch (field.kind) {
    case "enum":
      return typeName(field);
    case "integer":
    case "number":
      return "number";
    case "labels":
      return "readonly string[]";
    case "list":
      return "readonly unknown[]";
    case "object":
      return "object";
    case "value":
      return "unknown";
    case "timestamp":
      return "string | number | Date";
    case "id":
    case "label":
    case "text":
      return "string";
  }
}

if (import.meta.main) {
  await Bun.write(file, generate());
  console.log(`Wrote ${file}`);
}
