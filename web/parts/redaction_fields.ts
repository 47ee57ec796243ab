// The fields of the privacy settings: mode, kinds by group, patterns, and lists of one entry a line.
import type { RedactionKind, RedactionMode, RedactionSettings } from "../api.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";

/** Settings as they stand in the form. */
export interface Typed {
  mode: RedactionMode;
  /** Null is all of them, those of later versions too. */
  kinds: ReadonlySet<string> | null;
  custom: { name: string; pattern: string; flags: string }[];
  allow: string;
  exclude: string;
  banned_terms: string;
  prompt_injection: boolean;
}

export function typedOf(settings: RedactionSettings): Typed {
  return {
    mode: settings.mode,
    kinds: settings.kinds === undefined ? null : new Set(settings.kinds),
    custom: settings.custom.map(({ name, pattern, flags }) => ({
      name,
      pattern,
      flags: flags ?? "",
    })),
    allow: settings.allow.join("\n"),
    exclude: (settings.fields?.exclude ?? []).join("\n"),
    banned_terms: settings.policy.banned_terms.join("\n"),
    prompt_injection: settings.policy.prompt_injection,
  };
}

export function settingsOf(typed: Typed): RedactionSettings {
  const exclude = linesOf(typed.exclude);
  return {
    mode: typed.mode,
    ...(typed.kinds === null ? {} : { kinds: [...typed.kinds] }),
    custom: typed.custom.filter(({ name, pattern }) => name !== "" || pattern !== "")
      .map(({ flags, ...one }) => flags === "" ? one : { ...one, flags }),
    allow: linesOf(typed.allow),
    ...(exclude.length === 0 ? {} : { fields: { exclude } }),
    policy: {
      banned_terms: linesOf(typed.banned_terms),
      prompt_injection: typed.prompt_injection,
    },
  };
}

function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

const modes: readonly (readonly [RedactionMode, string, View])[] = [
  ["off", "Off", "Nothing is looked for; every text is stored as it was sent."],
  [
    "detect",
    "Detect",
    "Texts stay as they are; each event says what was found in it, and how often.",
  ],
  ["mask", "Mask", html`A finding is replaced by its kind: <code>[EMAIL_ADDRESS]</code>.`],
  [
    "hash",
    "Hash",
    html`A finding is replaced by its kind and a keyed hash, <code>[EMAIL_ADDRESS:3f9a1c2b44d0]</code>: the same
      value can still be recognised, but not read.`,
  ],
  ["drop", "Drop", "A text with a finding is not stored at all; only what was found in it is."],
];

export function Modes(
  { mode, choose }: { mode: RedactionMode; choose: (mode: RedactionMode) => void },
): View {
  return html`
    <div class="modes" role="radiogroup" aria-label="Mode">${modes.map(([name, word, means]) =>
      html`
        <label key=${name} class="check"><input type="radio" name="mode" value=${name}
          checked=${mode === name} onChange=${() => choose(name)} /><span><b>${word}</b>
          <span class="dim">${means}</span></span></label>
      `
    )}</div>
  `;
}

const groups: readonly (readonly [string, RegExp])[] = [
  ["Secrets", /^(SECRET|URL_CREDENTIALS)$/],
  ["Contact", /^(EMAIL_ADDRESS|PHONE_NUMBER)$/],
  ["Network", /^(IP_ADDRESS|MAC_ADDRESS)$/],
  ["Money", /^(CREDIT_CARD|IBAN_CODE|CRYPTO)$/],
  ["United States", /^(US_|ABA_|MEDICAL_LICENSE)/],
  ["United Kingdom", /^UK_/],
  ["Spain", /^ES_/],
  ["Italy", /^IT_/],
  ["Poland", /^PL_/],
  ["Others", /^/],
];

/** Every kind in the first group that takes it. */
function grouped(kinds: RedactionKind[]): [string, RedactionKind[]][] {
  const groupOf = ({ kind }: RedactionKind) =>
    groups.findIndex(([, pattern]) => pattern.test(kind));
  return groups.map(([name], at): [string, RedactionKind[]] => [
    name,
    kinds.filter((kind) => groupOf(kind) === at),
  ]).filter(([, members]) => members.length > 0);
}

const surely: Record<RedactionKind["by"], string> = {
  checksum: "Told by a checksum.",
  form: "Told by its form.",
  context: "Only where a word before it says so.",
};

/** `EMAIL_ADDRESS` as words; short names, as of countries and authorities, stay capitals. */
export function kindWord(kind: string): string {
  const words = kind.toLowerCase().replaceAll("_", " ");
  return words.replace(
    /\b(us|uk|es|it|pl|ip|mac|url|iban|ssn|itin|nhs|nino|nif|nie|vat|aba|pesel)\b/g,
    (short) => short.toUpperCase(),
  ).replace(/^./, (first) => first.toUpperCase());
}

export function Kinds(
  { all, chosen, choose }: {
    all: RedactionKind[];
    chosen: ReadonlySet<string> | null;
    choose: (chosen: ReadonlySet<string> | null) => void;
  },
): View {
  const isOn = (kind: string) => chosen === null || chosen.has(kind);
  const toggle = (names: string[], on: boolean) => {
    const next = all.map(({ kind }) => kind)
      .filter((kind) => names.includes(kind) ? on : isOn(kind));
    choose(next.length === all.length ? null : new Set(next));
  };
  return html`
    <div class="kind-groups">${grouped(all).map(([name, members]) => {
      const names = members.map(({ kind }) => kind);
      const isWhole = names.every(isOn);
      return html`
        <div key=${name} class="kind-group" role="group" aria-label=${name}>
          <div class="kind-head"><b>${name}</b>${names.length === 1 ? null : html`
            <button type="button" class="quiet" aria-label=${`${
              isWhole ? "None" : "All"
            } of ${name}`}
              onClick=${() => toggle(names, !isWhole)}>${isWhole ? "None" : "All"}</button>
          `}</div>
          ${members.map(({ kind, by, help }) =>
            html`
              <label key=${kind} class="check" title=${`${help} ${
                surely[by]
              }`}><input type="checkbox"
                checked=${isOn(kind)} onChange=${(event: Event) =>
                  toggle([kind], (event.target as HTMLInputElement).checked)} /><span>${kindWord(
                    kind,
                  )}${by === "context"
                  ? html`<span class="dim" title=${surely.context}> with context</span>`
                  : null}</span></label>
            `
          )}
        </div>
      `;
    })}</div>
  `;
}

type Pattern = Typed["custom"][number];

export function Patterns(
  { patterns, off, change }: {
    patterns: Pattern[];
    /** Names of those that took too long and do not run. */
    off: string[];
    change: (patterns: Pattern[]) => void;
  },
): View {
  const field = (at: number, key: keyof Pattern, label: string, hint: string) =>
    html`
      <input class=${`pattern-${key}`} aria-label=${`${label} of pattern ${
        at + 1
      }`} placeholder=${hint}
        value=${patterns[at]?.[key] ??
          ""} autocapitalize="off" autocomplete="off" spellcheck=${false}
        required=${key !== "flags"} onInput=${(event: Event) => {
          const typed = (event.target as HTMLInputElement).value;
          change(patterns.map((one, other) => other === at ? { ...one, [key]: typed } : one));
        }} />
    `;
  return html`
    ${patterns.map((pattern, at) =>
      html`
        <div key=${at} class="pattern">
          ${field(at, "name", "Name", "ORDER_NUMBER")}
          ${field(at, "pattern", "Expression", "\\bORD-\\d{6}\\b")}
          ${field(at, "flags", "Flags", "ims")}
          <button type="button" class="quiet" aria-label=${`Remove pattern ${
            at + 1
          }`} onClick=${() => change(patterns.filter((_, other) => other !== at))}>${icon(
            "close",
          )}</button>
          ${off.includes(pattern.name)
            ? html`<p class="problem">It took too long, and does not run until it is saved anew.</p>`
            : null}
        </div>
      `
    )}
    <button type="button" onClick=${() =>
      change([...patterns, { name: "", pattern: "", flags: "" }])}>Add a pattern</button>
  `;
}

export function Lines(
  { label, text, placeholder, help, change }: {
    label: string;
    text: string;
    placeholder: string;
    help: string;
    change: (text: string) => void;
  },
): View {
  return html`
    <label class="lines"><span><b>${label}</b> <span class="dim">${help}</span></span>
      <textarea rows="3" value=${text} placeholder=${placeholder} autocapitalize="off" spellcheck=${false}
        onInput=${(event: Event) =>
          change((event.target as HTMLTextAreaElement).value)}></textarea></label>
  `;
}
