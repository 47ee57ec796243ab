// The part of a rule's form that says what is looked at, and what is too much.
import { metricWords } from "./alert.ts";
import { html, type View } from "./html.ts";
import { type RulePart, type TypedRule, unitOf, type Wrong } from "./rule_fields.ts";

const groupings = [
  "model",
  "provider",
  "env",
  "release",
  "user_id",
  "name",
  "tag",
  "event_type",
  "status",
  "tool_name",
  "service",
  "agent_name",
];

type Texts = {
  [K in keyof TypedRule]: TypedRule[K] extends string ? (string extends TypedRule[K] ? K : never)
    : never;
}[keyof TypedRule];

const valueOf = (event: Event) => (event.target as HTMLInputElement).value;

/** What the server says of a field is shown beside it; the name in front of it is left out. */
export function wrongAt(wrong: Wrong | null, ...names: string[]): View {
  const { field, text } = wrong ?? { field: null, text: "" };
  if (field === null || !names.some((name) => field === name || field.startsWith(`${name}.`))) {
    return null;
  }
  const said = text.startsWith(`${field}: `) ? text.slice(field.length + 2) : text;
  return html`<span class="problem" role="alert">${said}</span>`;
}

/** Names of the API, where they are not those of the form. */
const apiNames: Partial<Record<keyof TypedRule, string>> = {
  baseline_days: "baseline.days",
  baseline_change: "baseline.min_change",
  steps: "runbook.steps",
  url: "runbook.url",
};

export function field(
  { typed, change, wrong }: RulePart,
  name: Texts,
  label: string,
  more: Record<string, unknown> = {},
): View {
  return html`
    <label
      class=${more.wide === true ? "is-wide" : ""}>${label}<input value=${typed[
        name
      ]} autocomplete="off" autocapitalize="off" spellcheck=${false} ...${{
        ...more,
        wide: undefined,
      }}
        onInput=${(event: Event) => change({ [name]: valueOf(event) })} />${wrongAt(
          wrong,
          name,
          apiNames[name] ?? name,
        )}</label>
  `;
}

export const number = { type: "number", step: "any", inputmode: "decimal" };

export function RuleConditions(part: RulePart): View {
  const { typed, change, wrong } = part;
  const isSql = typed.by === "sql";
  const unit = unitOf(typed);
  const radio = (by: TypedRule["by"], word: string) =>
    html`
      <label
        class="check"><input type="radio" name="by" checked=${typed.by === by} onChange=${() =>
          change({ by })} />${word}</label>
    `;
  return html`
    <section>
      <h2>What is looked at</h2>
      <fieldset class="bare choices-row"><legend class="unseen">By</legend>${radio(
        "metric",
        "A metric",
      )}${radio("sql", "Rows of your own SQL")}</fieldset>
      <div class="monitor-fields">
        ${isSql
          ? html`
            <label
              class="is-wide">SQL<textarea rows="4" spellcheck=${false} value=${typed
                .sql} onInput=${(event: Event) =>
                change({ sql: valueOf(event) })}></textarea><span class="dim">Each row is a
                      series: its column value is held against the thresholds, the others name it. $since and $until stand for
                      the ends of the window.</span>${wrongAt(wrong, "sql")}</label>
          `
          : html`
            <label>Metric<select value=${typed.metric} onChange=${(event: Event) =>
              change({ metric: valueOf(event) })}>${Object.entries(metricWords).map((
                [name, word],
              ) =>
                html`<option key=${name} value=${name} selected=${
                  name === typed.metric
                }>${word}</option>`
              )}</select>${wrongAt(wrong, "metric")}</label>
            ${field(part, "filter", "Only events with", {
              placeholder: "env:production model:gpt-5",
            })}
            <label>Each of<select value=${typed.group_by} onChange=${(event: Event) =>
              change({
                group_by: valueOf(event),
              })}><option value="">all together</option>${groupings.map((name) =>
                html`<option key=${name} value=${name} selected=${name === typed.group_by}>${
                  name.replaceAll("_", " ")
                }</option>`
              )}</select></label>
          `}
        ${field(part, "window_minutes", "Window, minutes", { ...number, min: 1, required: true })}
      </div>
      <h2>What is too much</h2>
      ${isSql ? null : html`
        <label
          class="check"><input type="checkbox" checked=${typed.isSpike} onChange=${() =>
            change({
              isSpike: !typed.isSpike,
            })} />Compare with the same hour of earlier days: thresholds then
          count deviations from the usual value, such as 6</label>
      `}
      <div class="monitor-fields is-narrow">
        <label>Fires when the value is<select value=${typed.operator} onChange=${(event: Event) =>
          change({ operator: valueOf(event) })}>${[[">", "above"], [">=", "at or above"], [
          "<",
          "below",
        ], ["<=", "at or below"]].map((
          [sign, word],
        ) =>
          html`<option key=${sign} value=${sign} selected=${
            sign === typed.operator
          }>${word}</option>`
        )}</select></label>
        ${field(part, "warning", `Warning${unit}`, { ...number, placeholder: "none" })}
        ${field(part, "critical", `Critical${unit}`, { ...number, placeholder: "none" })}
        ${field(part, "recovery", `Well again at${unit}`, {
          ...number,
          placeholder: "the threshold",
        })}
        ${typed.isSpike && !isSql
          ? [
            field(part, "baseline_days", "Earlier days", { ...number, min: 2, max: 28 }),
            field(part, "baseline_change", "Differs by at least, %", { ...number, min: 0 }),
          ]
          : null}
        ${field(part, "min_requests", "Least events in a window", { ...number, min: 0 })}
        ${field(part, "for_minutes", "Has to hold for, minutes", { ...number, min: 0 })}
        ${field(part, "keep_firing_minutes", "Has to be well for, minutes", { ...number, min: 0 })}
        ${field(part, "delay_seconds", "Waits for late events, seconds", { ...number, min: 0 })}
        <label>When nothing is known<select value=${typed.no_data} onChange=${(event: Event) =>
          change({ no_data: valueOf(event) as TypedRule["no_data"] })}>${[
          ["keep", "stay as it is"],
          ["resolve", "resolve"],
          ["alert", "fire"],
        ].map(([value, word]) =>
          html`<option key=${value} value=${value} selected=${
            value === typed.no_data
          }>${word}</option>`
        )}</select></label>
      </div>
    </section>
  `;
}
