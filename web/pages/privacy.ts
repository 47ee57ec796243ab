// `/settings/privacy`: what is masked in events before they are stored, tried out before it is set.
import { useState } from "preact/hooks";
import { api, type Redaction, type RedactionKind, type RedactionSettings } from "../api.ts";
import { useAsk } from "../parts/ask.ts";
import { html, type View } from "../parts/html.ts";
import { Problem, Skeleton } from "../parts/notice.ts";
import { Kinds, Lines, Modes, Patterns, settingsOf, typedOf } from "../parts/redaction_fields.ts";
import { RedactionTry } from "../parts/redaction_try.ts";
import { SettingsTabs } from "../parts/settings_tabs.ts";
import { canAdmin, project } from "../parts/state.ts";

export function PrivacyPage(): View {
  const project_id = project.value;
  const kinds = useAsk("kinds", (signal) => api.redactionKinds(signal));
  const set = useAsk(`redaction ${project_id}`, (signal) => api.redaction({ project_id }, signal));
  const failed = set.error === null ? kinds : set;
  return html`
    <div class="settings">
      <h1 class="unseen">Privacy</h1>
      <${SettingsTabs} />
      ${failed.error !== null
        ? html`<${Problem} reason=${failed.error} again=${failed.again} />`
        : set.data === null || kinds.data === null
        ? html`<${Skeleton} rows=${6} />`
        : html`<${Settings} first=${set.data} kinds=${kinds.data.kinds} />`}
    </div>
  `;
}

function Settings({ first, kinds }: { first: Redaction; kinds: RedactionKind[] }): View {
  const [stored, setStored] = useState(first);
  const [typed, setTyped] = useState(() => typedOf(first.settings));
  const [problem, setProblem] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);
  const [busy, setBusy] = useState(false);
  const mayChange = canAdmin.value;
  const settings = settingsOf(typed);
  const isChanged =
    JSON.stringify(settings) !== JSON.stringify(settingsOf(typedOf(stored.settings)));
  const change = (part: Partial<typeof typed>) => {
    setSaved(false);
    setTyped({ ...typed, ...part });
  };
  const save = async (next: RedactionSettings | null) => {
    setProblem(null);
    setBusy(true);
    try {
      const told = await api.setRedaction(next, { project_id: project.value });
      setStored(told);
      setTyped(typedOf(told.settings));
      setSaved(true);
    } catch (error) {
      setProblem((error as Error).message);
    }
    setBusy(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void save(settings);
  };
  const isIdle = settings.mode === "off";
  return html`
    <form class="privacy" onSubmit=${submit} aria-label="Privacy">
      <p class="dim">What is set here holds for events that are sent from now on. What is stored already stays as it
        is, and text that was masked cannot be brought back.</p>
      ${mayChange ? null : html`
        <p
          class="masked">Only a key with the scope <code>admin</code> may change this. Trying is open to all.</p>
      `}
      <fieldset class="bare" disabled=${!mayChange}>
        <section>
          <h2>What happens to what is found</h2>
          <${Modes} mode=${typed.mode} choose=${(mode: RedactionSettings["mode"]) =>
            change({ mode })} />
        </section>
        <section class=${isIdle ? "is-idle" : ""}>
          <h2>What is looked for</h2>
          <${Kinds} all=${kinds} chosen=${typed.kinds} choose=${(chosen: ReadonlySet<string>) =>
            change({ kinds: chosen })} />
        </section>
        <section class=${isIdle ? "is-idle" : ""}>
          <h2>Patterns of this project</h2>
          <p class="dim">Regular expressions of RE2: no look-around, no back-references. The name stands in place of what
            it finds, as <code>[ORDER_NUMBER]</code>.</p>
          <${Patterns} patterns=${typed.custom} off=${stored.switched_off} change=${(
            custom: typeof typed.custom,
          ) => change({ custom })} />
        </section>
        <div class="settings-pair">
          <${Lines} label="Never a finding" text=${typed
            .allow} placeholder=${"support@example.com\n/^test-/i"}
            help="One a line: a whole value, or a /pattern/ found in it."
            change=${(allow: string) => change({ allow })} />
          <${Lines} label="Places that are not looked into" text=${typed
            .exclude} placeholder="attributes.order_id"
            help="One path a line; everything below it is left alone."
            change=${(exclude: string) => change({ exclude })} />
        </div>
        <section>
          <h2>Policy</h2>
          <p class="dim">A breach is an event of its own beside the one it was found in, also when nothing is masked.</p>
          <label class="check"><input type="checkbox" checked=${typed.prompt_injection} onChange=${(
            event: Event,
          ) =>
            change({
              prompt_injection: (event.target as HTMLInputElement).checked,
            })} /><span>Look for
            attempts to turn a model against its instructions</span></label>
          <${Lines} label="Banned terms" text=${typed
            .banned_terms} placeholder="project nightfall" help="One a line."
            change=${(banned_terms: string) => change({ banned_terms })} />
        </section>
      </fieldset>
      <${RedactionTry} settings=${settings} isChanged=${isChanged} />
      ${mayChange
        ? html`
          <div class="save-bar">
            ${problem === null ? null : html`<p class="problem" role="alert">${problem}</p>`}
            <button type="submit" class="primary" disabled=${!isChanged || busy}>Save</button>
            ${isChanged
              ? html`<button type="button" onClick=${() =>
                setTyped(typedOf(stored.settings))}>Discard changes</button>`
              : null}
            ${stored.inherited ? null : html`
              <button type="button" disabled=${busy}
                onClick=${() => void save(null)}>Return to the server's default</button>
            `}
            <span class="dim" role="status">${saved && !isChanged
              ? "Saved. "
              : ""}${stored.inherited
              ? "This project has no settings of its own: the server's default holds."
              : saved && !isChanged
              ? "It holds from now on."
              : ""}</span>
          </div>
        `
        : null}
    </form>
  `;
}
