// What a project asks of redaction, checked and compiled.
import { z } from "zod";
import { isKind, kinds } from "./kinds.ts";
import { compilePattern, type Pattern, patternCharactersMax } from "./pattern.ts";

export const modes = ["off", "detect", "mask", "hash", "drop"] as const;
export type Mode = (typeof modes)[number];

export const settingBounds = {
  customMax: 32,
  allowMax: 256,
  excludeMax: 256,
  bannedTermsMax: 1000,
  textCharactersMax: 256,
} as const;

const shortText = z.string().min(1).max(settingBounds.textCharactersMax);

/** As people set it; `compileSettings` checks what a schema cannot say. */
export const settingsSchema = z.strictObject({
  mode: z.enum(modes).describe(
    "off; detect: count only; mask: [KIND]; hash: [KIND:keyed hash]; drop: the whole text.",
  ),
  kinds: z.array(z.string()).max(kinds.length).optional()
    .describe("Kinds that are looked for; all when left out."),
  custom: z.array(z.strictObject({
    name: z.string().describe("Kind that it finds: capitals, digits and _."),
    pattern: z.string().max(patternCharactersMax)
      .describe("Regular expression of RE2: no look-around, no back-references."),
    flags: z.string().max(3).optional().describe("Of i, m and s."),
  })).max(settingBounds.customMax).default([]),
  allow: z.array(shortText).max(settingBounds.allowMax).default([])
    .describe("What is never a finding: a whole value, or a /pattern/ found in it."),
  fields: z.strictObject({
    exclude: z.array(shortText).max(settingBounds.excludeMax)
      .describe("Paths that are not looked into, such as attributes.order_id."),
  }).optional(),
  policy: z.strictObject({
    banned_terms: z.array(shortText).max(settingBounds.bannedTermsMax).default([]),
    prompt_injection: z.boolean().default(false),
  }).default({ banned_terms: [], prompt_injection: false }),
});
export type RedactionSettings = z.infer<typeof settingsSchema>;

export function defaultSettings(mode: Mode): RedactionSettings {
  return {
    mode,
    custom: [],
    allow: [],
    policy: { banned_terms: [], prompt_injection: false },
  };
}

export interface Custom {
  name: string;
  pattern: Pattern;
}

/** Paths as a tree of their keys; a leaf stands for everything below it. */
export type Paths = Map<string, Paths>;

export interface Compiled {
  mode: Mode;
  kinds: ReadonlySet<string>;
  custom: readonly Custom[];
  allowed: { values: ReadonlySet<string>; patterns: readonly Pattern[] };
  excluded: Paths | null;
  bannedTerms: readonly string[];
  promptInjection: boolean;
}

/** What is wrong with settings, and where. */
export interface Refused {
  refused: { field: string; message: string };
}

export function compileSettings(settings: RedactionSettings): Compiled | Refused {
  const unknown = settings.kinds?.find((kind) => !isKind(kind));
  if (unknown !== undefined) return refuse("kinds", `there is no kind "${unknown}"`);
  const custom = compileCustom(settings);
  if ("refused" in custom) return custom;
  const allowed = compileAllowed(settings.allow);
  if ("refused" in allowed) return allowed;
  return {
    mode: settings.mode,
    kinds: new Set(settings.kinds ?? kinds),
    custom,
    allowed,
    excluded: pathsOf(settings.fields?.exclude ?? []),
    bannedTerms: settings.policy.banned_terms,
    promptInjection: settings.policy.prompt_injection,
  };
}

const customName = /^[A-Z][A-Z0-9_]{1,39}$/;

function compileCustom({ custom }: RedactionSettings): Custom[] | Refused {
  const compiled: Custom[] = [];
  for (const [index, { name, pattern: source, flags }] of custom.entries()) {
    const field = `custom.${index}`;
    if (!customName.test(name)) {
      return refuse(
        `${field}.name`,
        "a name has 2 to 40 of A-Z, 0-9 and _, and starts with a letter",
      );
    }
    if (isKind(name) || compiled.some((one) => one.name === name)) {
      return refuse(`${field}.name`, `there is a kind "${name}" already`);
    }
    const pattern = compilePattern(source, flags);
    if ("refused" in pattern) return refuse(`${field}.pattern`, `the pattern ${pattern.refused}`);
    compiled.push({ name, pattern });
  }
  return compiled;
}

function compileAllowed(allow: string[]): Compiled["allowed"] | Refused {
  const values = new Set<string>(), patterns: Pattern[] = [];
  for (const [index, entry] of allow.entries()) {
    const quoted = /^\/(.+)\/([a-z]*)$/s.exec(entry);
    if (quoted === null) {
      values.add(entry.toLowerCase());
      continue;
    }
    const pattern = compilePattern(quoted[1]!, quoted[2]);
    if ("refused" in pattern) return refuse(`allow.${index}`, `the pattern ${pattern.refused}`);
    patterns.push(pattern);
  }
  return { values, patterns };
}

function pathsOf(paths: string[]): Paths | null {
  if (paths.length === 0) return null;
  const root: Paths = new Map();
  for (const path of paths) {
    let place = root;
    for (const key of path.split(".")) {
      const next = place.get(key) ?? new Map();
      place.set(key, next);
      place = next;
    }
    // Shorter paths win: everything below them is excluded already.
    place.clear();
  }
  return root;
}

function refuse(field: string, message: string): Refused {
  return { refused: { field, message } };
}
