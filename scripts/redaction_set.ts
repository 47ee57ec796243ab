// Makes the labelled set that redaction is measured on, measures it, and writes the table into
// src/redact/README.md. The same seed gives the same set.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kinds, type Span } from "../src/redact/kinds.ts";
import { scan } from "../src/redact/scan.ts";
import { root } from "./inputs.ts";
import { negative, negativeForms } from "./redaction_set/negatives.ts";
import { Dice, type Made, makers } from "./redaction_set/values.ts";

export interface Sample {
  text: string;
  /** What is planted in it. */
  planted: Span[];
}

const perKind = 200;
const perNegative = 40;
export const publishedSeed = 20260823;

/** Where values stand: prose in several languages, JSON, code, logs and what tools answer. */
const carriers: readonly string[] = [
  "Hello, you can use {} for that. Thanks!",
  "I already told your colleague yesterday: {}",
  "{} is what the customer gave us when she called about the delayed parcel.",
  "Please update my profile ({}) and let me know when it is done.",
  "Bitte tragen Sie {} ein; der Vertrag läuft am Monatsende aus.",
  "Voici ce que vous avez demandé : {}. Merci de confirmer.",
  "Mis datos son {} y vivo en Sevilla desde hace dos años.",
  "Il cliente ha scritto {} nel modulo.",
  "Anotei {} no cadastro, pode conferir?",
  "Proszę zapisać {} w systemie.",
  '{"user":"u-1","value":"{}","ok":true}',
  '{\n  "note": "see {}",\n  "retries": 3\n}',
  "INFO request done user={} took=12ms",
  "2026-03-04T05:06:07Z WARN could not process {}",
  "const value = '{}';",
  "# settings\nvalue: {}\nmode: fast\n",
  "| name | value |\n| --- | --- |\n| first | {} |\n",
  "id,value,state\n1,{},open\n",
  "<td>{}</td>",
  "- {}\n- nothing else",
];

export function makeSet(seed: number): Sample[] {
  const dice = new Dice(seed);
  const samples: Sample[] = [];
  for (const [kind, make] of Object.entries(makers)) {
    for (let count = 0; count < perKind; count++) samples.push(planted(dice, kind, make(dice)));
  }
  for (let form = 0; form < negativeForms; form++) {
    for (let count = 0; count < perNegative; count++) {
      samples.push({ text: negative(dice, form), planted: [] });
    }
  }
  return samples;
}

function planted(dice: Dice, kind: string, { before = "", value, after = "" }: Made): Sample {
  const carrier = dice.of(carriers);
  const at = carrier.indexOf("{}");
  const text = carrier.slice(0, at) + before + value + after + carrier.slice(at + 2);
  const start = at + before.length;
  return { text, planted: [{ start, end: start + value.length, kind }] };
}

export interface Score {
  kind: string;
  planted: number;
  /** Found whole, under this kind. */
  found: number;
  /** Covered whole, under whatever kinds: nothing of it is stored. */
  covered: number;
  /** Findings of the kind where none of that kind was planted. */
  wrong: number;
}

const all = new Set<string>(kinds);

export function findingsOf(text: string): readonly Span[] {
  return scan(text, { key: "", identifier: false }, all);
}

export function measure(samples: readonly Sample[]): Map<string, Score> {
  const scores = new Map<string, Score>();
  const scoreOf = (kind: string) => {
    const score = scores.get(kind) ?? { kind, planted: 0, found: 0, covered: 0, wrong: 0 };
    scores.set(kind, score);
    return score;
  };
  for (const { text, planted } of samples) {
    const found = findingsOf(text);
    for (const { start, end, kind } of planted) {
      const score = scoreOf(kind);
      score.planted++;
      const whole = found.filter((span) => span.start <= start && span.end >= end);
      if (whole.some((span) => span.kind === kind)) score.found++;
      if (whole.length > 0) score.covered++;
    }
    for (const span of found) {
      const right = planted.some(({ start, end, kind }) =>
        kind === span.kind && span.start < end && span.end > start
      );
      if (!right) scoreOf(span.kind).wrong++;
    }
  }
  return scores;
}

export function precision({ found, wrong }: Score): number {
  return found + wrong === 0 ? 1 : found / (found + wrong);
}

export function recall({ planted, found }: Score): number {
  return planted === 0 ? 1 : found / planted;
}

/** Rows in order of the kinds' precedence. */
export function tableOf(scores: ReadonlyMap<string, Score>): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const rows = kinds.flatMap((kind) => {
    const score = scores.get(kind);
    if (score === undefined) return [];
    const { planted, covered, wrong } = score;
    const none = planted === 0;
    return [[
      `\`${kind}\``,
      String(planted),
      none ? "" : percent(recall(score)),
      none ? "" : percent(covered / planted),
      none ? "" : percent(precision(score)),
      String(wrong),
    ]];
  });
  const head = ["Kind", "Planted", "Recall", "Masked as anything", "Precision", "Wrong"];
  return [head, head.map((_, at) => at === 0 ? "---" : "---:"), ...rows]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}

export const readmePath = join(root, "src/redact/README.md");
const opening = "<!-- measured -->", closing = "<!-- /measured -->";

/** What stands between the two marks. */
export function measuredPart(readme: string): string {
  return readme.slice(readme.indexOf(opening) + opening.length, readme.indexOf(closing)).trim();
}

if (import.meta.main) {
  const table = tableOf(measure(makeSet(publishedSeed)));
  const readme = readFileSync(readmePath, "utf8");
  const [before] = readme.split(opening), [, after] = readme.split(closing);
  writeFileSync(readmePath, `${before}${opening}\n\n${table}\n\n${closing}${after}`);
  console.log(table);
}
