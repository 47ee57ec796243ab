// From a record to the values of its fields: which conventions it follows, what happened, and for
// each field the first place that has it.
import type { Convention, Found, Kind, Source } from "./convention.ts";
import { claudeCode } from "./conventions/claude_code.ts";
import { codex } from "./conventions/codex.ts";
import { common } from "./conventions/common.ts";
import { langfuse } from "./conventions/langfuse.ts";
import { langsmith } from "./conventions/langsmith.ts";
import { litellm } from "./conventions/litellm.ts";
import { mcp } from "./conventions/mcp.ts";
import { openInference, openInferenceAnnotations } from "./conventions/openinference.ts";
import { openlit } from "./conventions/openlit.ts";
import { openLlmetry } from "./conventions/openllmetry.ts";
import { otelGenAi } from "./conventions/otel_genai.ts";
import { others } from "./conventions/others.ts";
import { pydanticAi } from "./conventions/pydantic_ai.ts";
import { vercel } from "./conventions/vercel.ts";
import type { RawRecord } from "./record.ts";
import { type Target, targets } from "./target.ts";

/** At one rank an earlier convention's places come first. */
export const conventions: readonly Convention[] = [
  claudeCode,
  codex,
  langfuse,
  otelGenAi,
  vercel,
  openInference,
  openInferenceAnnotations,
  openLlmetry,
  langsmith,
  pydanticAi,
  litellm,
  openlit,
  mcp,
  ...others,
  common,
];

export interface Place {
  convention: Convention;
  source: Source;
}

const byKindRank = conventions.filter(({ kind }) => kind !== undefined)
  .toSorted((a, b) => (a.kindRank ?? 40) - (b.kindRank ?? 40));

const targetNames = Object.keys(targets) as Target[];

/** Places of each field, in the order in which they are tried. */
export function placesOf(
  among: readonly Convention[],
): ReadonlyMap<Target, readonly Place[]> {
  return new Map(targetNames.map((target) => [
    target,
    among.flatMap((convention) =>
      (convention.fields[target] ?? []).map((source): Place => ({
        convention,
        source,
      }))
    ).toSorted((a, b) => a.source.rank - b.source.rank),
  ]));
}

/** What does not depend on values: records of one kind have the same names. */
export interface Followed {
  conventions: readonly Convention[];
  /** Only places that the names of the attributes allow; a field without any is not there. */
  places: ReadonlyMap<Target, readonly Place[]>;
  /** Of these, the fields that records of a kind have; filled as kinds are met. */
  ofKind: Map<Kind, readonly Field[]>;
}

export type Field = readonly [target: Target, places: readonly Place[]];

/** A program sends few kinds of records; a hostile one sends many, and pushes others out. */
const shapes = new Map<string, Followed>();
const shapesMax = 4096;
const shapeCharactersMax = 8192;

export function followed(record: RawRecord): Followed {
  const { names, shape } = shapeOf(record);
  const known = shapes.get(shape);
  if (known !== undefined) return known;
  const among = conventions.filter((convention) => convention.recognises(record));
  const named = new Set(names);
  const places = new Map<Target, readonly Place[]>();
  for (const [target, all] of placesOf(among)) {
    const readable = all.filter(({ source }) => mayRead(source, named));
    if (readable.length > 0) places.set(target, readable);
  }
  const made: Followed = { conventions: among, places, ofKind: new Map() };
  // A line break inside of a name would let one shape pass for another.
  const isPlain = ![...names, record.name, ...record.events.map((event) => event.name)]
    .some((name) => name.includes("\n"));
  if (shape.length <= shapeCharactersMax && isPlain) {
    if (shapes.size >= shapesMax) shapes.clear();
    shapes.set(shape, made);
  }
  return made;
}

/** Attribute names, those of a list cut at its first index, and what else conventions look at. */
function shapeOf(
  { signal, name, attributes, events }: RawRecord,
): { names: string[]; shape: string } {
  const names: string[] = [];
  for (const key in attributes) {
    const at = key.search(indexed);
    if (at === -1) names.push(key);
    else {
      const list = key.slice(0, at + 1);
      if (names.at(-1) !== list) names.push(list);
    }
  }
  const said = events.map((event) => event.name).join();
  const told = /^(claude_code|codex|gen_ai)\./.test(name) ? name : "";
  return { names, shape: `${signal}\n${told}\n${said}\n${names.join("\n")}` };
}

const indexed = /\.\d/;

/** `names` are those of `shapeOf`: a list's name ends in a dot. */
function mayRead({ needs }: Source, names: ReadonlySet<string>): boolean {
  if (needs === undefined) return true;
  if ("key" in needs) return names.has(needs.key) || indexed.test(needs.key);
  for (const name of names) {
    if (name.startsWith(needs.prefix) || needs.prefix.startsWith(name)) return true;
  }
  return false;
}

/** What happened, and which convention says so; null when none does. */
export function kindOf(
  record: RawRecord,
  among: readonly Convention[],
): { kind: Kind; convention: Convention } | null {
  for (const convention of byKindRank) {
    if (!among.includes(convention)) continue;
    const kind = convention.kind!(record);
    if (kind !== undefined) return { kind, convention };
  }
  return null;
}

export interface Hit extends Place {
  found: Found;
}

/** Whether any place has the field. */
export function isSaid(record: RawRecord, { places }: Followed, target: Target): boolean {
  return places.get(target)?.some(({ source }) => source.read(record) !== undefined) ?? false;
}

/** Every place that has the field. */
export function lookUpAll(
  record: RawRecord,
  { places }: Followed,
  target: Target,
): Hit[] {
  return (places.get(target) ?? []).flatMap((place) => {
    const found = place.source.read(record);
    return found === undefined ? [] : [{ ...place, found }];
  });
}
