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

/** By the bits of the conventions that a record follows: a program sends few kinds of records. */
const known = new Map<number, ReadonlyMap<Target, readonly Place[]>>();
const knownMax = 4096;

export interface Followed {
  conventions: Convention[];
  places: ReadonlyMap<Target, readonly Place[]>;
}

export function followed(record: RawRecord): Followed {
  let bits = 0;
  const among = conventions.filter((convention, at) => {
    const recognised = convention.recognises(record);
    if (recognised) bits |= 1 << at;
    return recognised;
  });
  let places = known.get(bits);
  if (places === undefined) {
    if (known.size >= knownMax) known.clear();
    known.set(bits, places = placesOf(among));
  }
  return { conventions: among, places };
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
