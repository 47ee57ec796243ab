// Masks the texts of an event in place, within bounds, and says what was found. It fails closed: a
// text that could not be scanned is not kept.
import { limits } from "../limits.ts";
import type { Place } from "./context.ts";
import { type FieldRule, ruleOf } from "./field_rules.ts";
import { notScanned, type Span } from "./kinds.ts";
import { type Breaches, PolicyScan } from "./policy.ts";
import { policyEvents } from "./policy_events.ts";
import { merged, outsideMasks, scan } from "./scan.ts";
import { telling } from "./secret.ts";
import type { Compiled, Custom, Paths } from "./settings.ts";
import { dropped, droppedUnscanned, hashed, masked } from "./tokens.ts";

type Value = Record<string, unknown>;

/** How often each kind was found. */
export type Findings = Record<string, number>;

export interface Found {
  counts: Findings;
  /** What the policy scan gives rise to: values like those of a producer. */
  events: Value[];
}

export interface RedactorOptions {
  /** Key of the hashes; a secret of the server. */
  key: string;
  nowMs(): number;
  newId(): string;
  /** Told once when a project's pattern has taken too long too often, and no longer runs. */
  onSlow?(name: string): void;
}

/** Time for one event; what is left then is not scanned. */
const eventMsMax = 500;
/** Time for the events of one request together: a hostile one holds up the others no longer. */
export const requestMsMax = 10_000;
/** Characters between two looks at the clock. */
const clockCharacters = 32 * 1024;
/** An event with more is refused later anyway. */
const eventCharactersMax = limits.eventBytesMax;
/** A masked text may show something new, such as a number that stood beside another one. */
const passesMax = 4;
/** A match of a project's pattern that lies across two slices is seen up to this length. */
const sliceOverlap = 512;
const slowSliceMs = 25;
const slowSlicesMax = 8;

export class Redactor {
  /** Names of the project's patterns that no longer run. */
  readonly switchedOff = new Set<string>();
  #slowSlices = new Map<string, number>();
  #policy: PolicyScan | null;

  constructor(readonly settings: Compiled, readonly options: RedactorOptions) {
    const { bannedTerms, promptInjection } = settings;
    this.#policy = bannedTerms.length > 0 || promptInjection
      ? new PolicyScan(bannedTerms, promptInjection)
      : null;
  }

  /**
   * Null when nothing was found. `untilMs` bounds a whole request: what is left then is not scanned,
   * and not kept.
   */
  redact(value: Value, untilMs = Infinity): Found | null {
    const run = new Run(this, this.#policy, untilMs);
    run.walk(value);
    const policy = this.#policy === null
      ? []
      : policyEvents(value, run.breaches, this.options.newId);
    for (const { rule } of run.breaches.values()) run.count(rule.kind);
    return run.any ? { counts: run.counts, events: policy } : null;
  }

  /** Where the findings of a text are, for those who try their settings. */
  findings(text: string): readonly Span[] {
    const run = new Run(this, null, Infinity);
    try {
      return run.spans(text, { key: "", identifier: false });
    } catch {
      // Redacting it says that it was not scanned.
      return [];
    }
  }

  slow(name: string): void {
    const times = (this.#slowSlices.get(name) ?? 0) + 1;
    this.#slowSlices.set(name, times);
    if (times < slowSlicesMax || this.switchedOff.has(name)) return;
    this.switchedOff.add(name);
    this.options.onSlow?.(name);
  }
}

class OutOfTime extends Error {}

/** One event's way through a redactor. */
class Run {
  counts: Findings = {};
  any = false;
  breaches: Breaches = new Map();
  #redactor: Redactor;
  #policy: PolicyScan | null;
  #deadlineMs: number;
  #characters = 0;
  #clockAt = clockCharacters;
  #late = false;

  constructor(redactor: Redactor, policy: PolicyScan | null, untilMs: number) {
    this.#redactor = redactor;
    this.#policy = policy;
    const nowMs = redactor.options.nowMs();
    this.#late = nowMs > untilMs;
    this.#deadlineMs = Math.min(nowMs + eventMsMax, untilMs);
  }

  count(kind: string, times = 1): void {
    this.any = true;
    this.counts[kind] = (this.counts[kind] ?? 0) + times;
  }

  /** Visits every string of a value, without recursion: its depth is the producer's choice. */
  walk(value: Value): void {
    const { excluded } = this.#redactor.settings;
    // Sooner done than for … in, for objects that were put together field by field.
    const names = Object.keys(value);
    for (let at = 0; at < names.length; at++) {
      const name = names[at]!;
      const field = value[name];
      if (typeof field !== "string" && (typeof field !== "object" || field === null)) continue;
      const rule = ruleOf(name);
      if (rule === null) continue;
      const below = excluded?.get(name);
      if (below?.size === 0) continue;
      if (typeof field === "string") {
        const kept = this.leaf(field, rule.place, rule.charactersMax, rule.policed);
        if (kept !== field) value[name] = kept;
      } else this.#below(field, rule, below);
    }
  }

  #below(root: object, rule: FieldRule, excluded: Paths | undefined) {
    const { policed, charactersMax, place: { key, identifier } } = rule;
    const stack: Container[] = [{ node: root, key, excluded, policed }];
    const place = { key, identifier };
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (Array.isArray(top.node)) this.#list(top.node, top, place, charactersMax, stack);
      else this.#object(top.node as Value, top, place, charactersMax, stack);
    }
  }

  #list(list: unknown[], top: Container, place: Place, charactersMax: number, stack: Container[]) {
    for (let at = 0; at < list.length; at++) {
      const entry = list[at];
      if (typeof entry === "string") {
        place.key = top.key;
        const kept = this.leaf(entry, place, charactersMax, top.policed);
        if (kept !== entry) list[at] = kept;
      } else if (typeof entry === "object" && entry !== null) stack.push({ ...top, node: entry });
    }
  }

  #object(node: Value, top: Container, place: Place, charactersMax: number, stack: Container[]) {
    // What a developer tells the model is no injection.
    const policed = top.policed && node.role !== "system" && node.role !== "developer";
    const keys = Object.keys(node);
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at]!;
      const entry = node[key];
      if (typeof entry !== "string" && (typeof entry !== "object" || entry === null)) continue;
      const excluded = top.excluded?.get(key);
      if (excluded?.size === 0) continue;
      if (typeof entry === "string") {
        place.key = telling(key);
        const kept = this.leaf(entry, place, charactersMax, policed);
        if (kept !== entry) node[key] = kept;
      } else stack.push({ node: entry, key: telling(key), excluded, policed });
    }
  }

  /** What is kept of a text. An identifier has at most so many characters; 0 is no bound. */
  leaf(text: string, place: Place, charactersMax: number, policed = true): string {
    if (text.length < 2) return text;
    const { mode } = this.#redactor.settings;
    try {
      this.#spend(text.length);
      const kept = mode === "off" ? text : this.#kept(text, place, charactersMax);
      this.#policy?.look(text, kept, this.breaches, policed);
      return kept;
    } catch {
      // Out of time, or a bug in a detector: either way nobody knows what is in it.
      this.count(notScanned);
      return mode === "detect" || mode === "off" ? text : droppedUnscanned;
    }
  }

  #kept(text: string, place: Place, charactersMax: number): string {
    const { mode } = this.#redactor.settings;
    let kept = text;
    for (let pass = 0; pass < passesMax; pass++) {
      const spans = this.spans(kept, place);
      if (spans.length === 0) return kept;
      for (const { kind } of spans) this.count(kind);
      if (mode === "detect") return text;
      if (mode === "drop") return dropped(spans);
      kept = this.#replaced(kept, spans, mode === "hash" || place.identifier);
      if (charactersMax > 0 && kept.length > charactersMax && text.length <= charactersMax) {
        return hashed(spans[0]!.kind, text, this.#redactor.options.key);
      }
    }
    throw new OutOfTime();
  }

  #replaced(text: string, spans: readonly Span[], hash: boolean): string {
    let kept = "", at = 0;
    for (const { start, end, kind } of spans) {
      if (hash) this.#spend(clockCharacters / 256);
      kept += text.slice(at, start);
      kept += hash
        ? hashed(kind, text.slice(start, end), this.#redactor.options.key)
        : masked(kind);
      at = end;
    }
    return kept + text.slice(at);
  }

  spans(text: string, place: Place): readonly Span[] {
    const { kinds, custom, allowed } = this.#redactor.settings;
    let spans = scan(text, place, kinds, this.#tick);
    if (custom.length > 0) spans = this.#withCustom(text, spans, custom);
    if (spans.length === 0 || (allowed.values.size === 0 && allowed.patterns.length === 0)) {
      return spans;
    }
    return spans.filter(({ start, end }) => !this.#isAllowed(text.slice(start, end)));
  }

  #withCustom(text: string, spans: readonly Span[], custom: readonly Custom[]): readonly Span[] {
    const all = [...spans];
    for (const { name, pattern } of custom) {
      if (this.#redactor.switchedOff.has(name)) continue;
      const step = pattern.sliceMax - sliceOverlap;
      for (let from = 0; from < text.length; from += step) {
        const before = this.#redactor.options.nowMs();
        pattern.each(text.slice(from, from + pattern.sliceMax), (start, end) => {
          all.push({ start: from + start, end: from + end, kind: name });
        });
        const after = this.#redactor.options.nowMs();
        if (after - before > slowSliceMs) this.#redactor.slow(name);
        this.#tick();
        if (from + pattern.sliceMax >= text.length) break;
      }
    }
    return all.length === spans.length ? spans : merged(outsideMasks(text, all));
  }

  #isAllowed(value: string): boolean {
    const { values, patterns } = this.#redactor.settings.allowed;
    if (values.has(value.toLowerCase())) return true;
    return patterns.some((pattern) => {
      let whole = false;
      if (value.length <= pattern.sliceMax) pattern.each(value, () => whole = true);
      return whole;
    });
  }

  #tick = () => {
    this.#late ||= this.#redactor.options.nowMs() > this.#deadlineMs;
    if (this.#late) throw new OutOfTime();
  };

  /** Throws when the event has used up its characters or its time. */
  #spend(characters: number): void {
    this.#characters += characters;
    if (this.#characters > this.#clockAt) {
      this.#clockAt = this.#characters + clockCharacters;
      this.#late ||= this.#redactor.options.nowMs() > this.#deadlineMs;
    }
    if (this.#late || this.#characters > eventCharactersMax) throw new OutOfTime();
  }
}

interface Container {
  node: object;
  key: string;
  excluded: Paths | undefined;
  policed: boolean;
}
