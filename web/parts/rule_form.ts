// The form that sets a rule, with what it would have done beside it.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { go, linkTo } from "./address.ts";
import type { Rule, RuleTemplate } from "./alert.ts";
import { useAsk } from "./ask.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { Problem, Skeleton } from "./notice.ts";
import { RuleConditions } from "./rule_conditions.ts";
import { fieldsOf, typedOf, type TypedRule } from "./rule_fields.ts";
import { RulePreview } from "./rule_preview.ts";
import { RuleTelling } from "./rule_telling.ts";
import { canAdmin, project } from "./state.ts";

/** `rule` is the one to change, or null for a new one, which begins with a template. */
export function RuleForm({ rule }: { rule: Rule | null }): View {
  const [begun, setBegun] = useState<TypedRule | null>(rule === null ? null : typedOf(rule));
  const templates = useAsk(
    begun === null ? "templates" : null,
    (signal) => api.ruleTemplates(signal),
  );
  if (begun !== null) return html`<${Form} rule=${rule} begun=${begun} />`;
  if (templates.error !== null) {
    return html`<${Problem} reason=${templates.error} again=${templates.again} />`;
  }
  if (templates.data === null) return html`<${Skeleton} />`;
  const list = templates.data.templates;
  return html`
    <div class="alerts monitor-form">
      <div class="monitor-head">
        <a class="button quiet back" href=${linkTo("/alerts/rules")} aria-label="Back">${icon(
          "back",
        )}</a>
        <h1>New rule</h1>
      </div>
      <p class="dim">Choose what to begin with; everything can be changed.</p>
      <ul class="templates">${list.map((one) =>
        html`<${Template} key=${one.id} template=${one} choose=${() =>
          setBegun(typedOf(one.rule))} />`
      )}</ul>
    </div>
  `;
}

function Template(
  { template, choose }: { template: RuleTemplate; choose: () => void },
): View {
  return html`
    <li><button type="button" class="template" onClick=${choose}>
      <b>${template.name}</b><span class="dim">${template.description}</span></button></li>
  `;
}

function Form({ rule, begun }: { rule: Rule | null; begun: TypedRule }): View {
  const [typed, setTyped] = useState(begun);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const change = (part: Partial<TypedRule>) => setTyped({ ...typed, ...part });
  const back = linkTo("/alerts/rules");
  const attempt = async (work: () => Promise<unknown>) => {
    setProblem(null);
    setBusy(true);
    try {
      await work();
      go(back);
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  const save = (event: Event) => {
    event.preventDefault();
    void attempt(() => {
      const fields = fieldsOf(typed, rule);
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
            change({ name: (event.target as HTMLInputElement).value })} /></label>
          <label>Description<input value=${typed.description} placeholder="none" onInput=${(
            event: Event,
          ) => change({ description: (event.target as HTMLInputElement).value })} /></label>
        </div>
      </section>
      <${RuleConditions} typed=${typed} change=${change} />
      <${RulePreview} fields=${previewOf(typed, rule)} />
      <${RuleTelling} typed=${typed} change=${change} />
      <div class="save-bar">
        ${problem === null ? null : html`<p class="problem" role="alert">${problem}</p>`}
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
  `;
}

function previewOf(typed: TypedRule, rule: Rule | null): Record<string, unknown> | string {
  try {
    return fieldsOf(typed, rule);
  } catch (error) {
    return (error as Error).message;
  }
}
