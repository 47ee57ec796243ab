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
import { openInference } from "./conventions/openinference.ts";
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
  /** Only places that the names of the attributes allow. */
  places: ReadonlyMap<Target, readonly Place[]>;
}

/** A program sends few kinds of records; a hostile one sends many, and pushes others out. */
const shapes = new Map<string, Followed>();
const shapesMax = 4096;
const shapeCharactersMax = 8192;

export function followed(record: RawRecord): Followed {
  const { names, shape } = shapeOf(record);
  const known = shapes.get(shape);
  if (known !== undefined) return known;
  const among = conventions.filter((convention) => convention.recognises(record));
  const places = new Map(
    [...placesOf(among)].map(([target, all]) => [
      target,
      all.filter(({ source }) => mayRead(source, names)),
    ]),
  );
  const made: Followed = { conventions: among, places };
  if (shape.length <= shapeCharactersMax) {
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
function mayRead({ needs }: Source, names: readonly string[]): boolean {
  if (needs === undefined) return true;
  if ("prefix" in needs) {
    const { prefix } = needs;
    return names.some((name) => name.startsWith(prefix) || prefix.startsWith(name));
  }
  return indexed.test(needs.key) || names.includes(needs.key);
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

/** The first place that has the field. */
export function lookUp(
  record: RawRecord,
  { places }: Followed,
  target: Target,
): Hit | null {
  for (const place of places.get(target)!) {
    const found = place.source.read(record);
    if (found !== undefined) return { ...place, found };
  }
  return null;
}

/** Every place that has the field: the first counts, the others lost. */
export function lookUpAll(
  record: RawRecord,
  { places }: Followed,
  target: Target,
): Hit[] {
  return places.get(target)!.flatMap((place) => {
    const found = place.source.read(record);
    return found === undefined ? [] : [{ ...place, found }];
  });
}
