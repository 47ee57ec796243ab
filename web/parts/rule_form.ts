// The form that sets a rule, with what it would have done beside it.
import { useState } from "preact/hooks";
import { api, ApiError } from "../api.ts";
import { go, linkTo, parameter } from "./address.ts";
import type { Channel, Rule, RuleFields } from "./alert.ts";
import { useAsk } from "./ask.ts";
import { NewChannel } from "./channel_form.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { Problem, Skeleton } from "./notice.ts";
import { RuleConditions, wrongAt } from "./rule_conditions.ts";
import { fieldsOf, Slip, typedOf, type TypedRule, type Wrong } from "./rule_fields.ts";
import { RulePreview } from "./rule_preview.ts";
import { RuleTelling } from "./rule_telling.ts";
import { canAdmin, project } from "./state.ts";

/** `rule` is the one to change, or null for a new one, which begins with a template. */
export function RuleForm({ rule }: { rule: Rule | null }): View {
  const template = parameter("template");
  const templates = useAsk(
    rule === null && template !== null ? "templates" : null,
    (signal) => api.ruleTemplates(signal),
  );
  if (rule !== null) return html`<${Form} rule=${rule} from=${rule} />`;
  if (template !== null && templates.error !== null) {
    return html`<${Problem} reason=${templates.error} again=${templates.again} />`;
  }
  if (template !== null && templates.data === null) return html`<${Skeleton} />`;
  const from = templates.data?.templates.find(({ id }) => id === template)?.rule;
  if (from !== undefined) return html`<${Form} key=${template} rule=${null} from=${from} />`;
  return html`
    <div class="alerts monitor-form">
      <div class="monitor-head">
        <a class="button quiet back" href=${linkTo("/alerts/rules")} aria-label="Back">${icon(
          "back",
        )}</a>
        <h1>New rule</h1>
      </div>
      <${Templates} />
    </div>
  `;
}

/** What a rule may begin with; each opens the form filled in. */
export function Templates(): View {
  const { data, error, again } = useAsk("templates", (signal) => api.ruleTemplates(signal));
  if (error !== null) return html`<${Problem} reason=${error} again=${again} />`;
  if (data === null) return html`<${Skeleton} />`;
  return html`
    <p class="dim">Choose what to begin with; everything can be changed.</p>
    <ul class="templates">${data.templates.map(({ id, name, description }) =>
      html`
        <li key=${id}><a class="button template"
          href=${linkTo("/alerts/rules/new", { template: id })}><b>${name}</b><span
            class="dim">${description}</span></a></li>
      `
    )}</ul>
  `;
}

/** `from` is what the form begins with: the rule itself, or a template. */
function Form({ rule, from }: { rule: Rule | null; from: RuleFields }): View {
  const [typed, setTyped] = useState(() => typedOf(from));
  const [problem, setProblem] = useState<Wrong | null>(null);
  const [tried, setTried] = useState<Wrong | null>(null);
  const [adding, setAdding] = useState(false);
  const [channelsTurn, setChannelsTurn] = useState(0);
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const change = (part: Partial<TypedRule>) => {
    setProblem(null);
    setTyped({ ...typed, ...part });
  };
  const fields = sentOf(typed, from);
  const wrong = problem ?? (fields instanceof Slip ? wrongOf(fields, typed) : tried);
  const part = { typed, change, wrong };
  const added = (channel: Channel | null) => {
    setAdding(false);
    setChannelsTurn(channelsTurn + 1);
    if (channel !== null) change({ channels: [...typed.channels, channel.id] });
  };
  const back = linkTo("/alerts/rules");
  const attempt = async (work: () => Promise<unknown>) => {
    setProblem(null);
    setBusy(true);
    try {
      await work();
      go(back);
    } catch (error) {
      setProblem(wrongOf(error as Error, typed));
      setBusy(false);
    }
  };
  const save = (event: Event) => {
    event.preventDefault();
    void attempt(() => {
      if (fields instanceof Slip) return Promise.reject(fields);
      return rule === null
        ? api.createRule({ project_id: project.value, ...fields })
        : api.replaceRule(rule.id, fields);
    });
  };
  const remove = () => sure ? void attempt(() => api.deleteRule(rule!.id)) : setSure(true);
  return html`
    <form class="alerts monitor-form" onSubmit=${save} aria-label="Rule">
      <div class="monitor-head">
        <a class="button quiet back" href=${back} aria-label="Back">${icon("back")}</a>
        <h1>${rule === null ? "New rule" : `Edit ${rule.name}`}</h1>
      </div>
      <section>
        <div class="monitor-fields">
          <label>Name<input value=${typed.name} required maxlength="200" onInput=${(event: Event) =>
            change({ name: (event.target as HTMLInputElement).value })} />${wrongAt(
              wrong,
              "name",
            )}</label>
          <label>Description<input value=${typed.description} placeholder="none" onInput=${(
            event: Event,
          ) => change({ description: (event.target as HTMLInputElement).value })} /></label>
        </div>
      </section>
      <${RuleConditions} ...${part} />
      <${RulePreview} fields=${fields instanceof Slip ? fields.message : fields}
        found=${(error: Error | null) => setTried(error === null ? null : wrongOf(error, typed))} />
      <${RuleTelling} key=${channelsTurn} ...${part} addChannel=${() => setAdding(true)} />
      <div class="save-bar">
        ${problem === null
          ? null
          : html`<p class="problem" role="alert">Not saved. ${problem.text}</p>`}
        ${canAdmin.value
          ? html`<button type="submit" class="primary" disabled=${busy}>${
            rule === null ? "Create" : "Save"
          }</button>`
          : html`<p class="dim">This key may read only.</p>`}
        <a class="button" href=${back}>Cancel</a>
        ${rule === null || !canAdmin.value ? null : html`
          <button type="button" class=${sure ? "danger" : "quiet"} disabled=${busy}
            onClick=${remove}>${sure ? "Delete for good" : "Delete"}</button>
        `}
      </div>
    </form>
    ${adding ? html`<${NewChannel} close=${added} />` : null}
  `;
}

function sentOf(typed: TypedRule, from: RuleFields): Record<string, unknown> | Slip {
  try {
    return fieldsOf(typed, from);
  } catch (error) {
    if (error instanceof Slip) return error;
    throw error;
  }
}

function wrongOf(error: Error, typed: TypedRule): Wrong {
  const text = error.message;
  if (error instanceof Slip) return { field: error.field, text };
  const field = error instanceof ApiError ? error.field : null;
  // What DuckDB says of a statement names no field.
  const isSql = typed.by === "sql" && error instanceof ApiError && error.status === 400;
  return { field: field ?? (isSql ? "sql" : null), text };
}
