// What a convention is: how its records are known, which attribute holds which field, and what kind
// of operation a record describes. Conventions are data, each in a file below conventions/.
import type { Value } from "../receive/otlp/telemetry.ts";
import type { RawRecord } from "./record.ts";
import { isPresent, memberOf, numberOf, textOf, unflatten } from "./record.ts";
import type { Target } from "./target.ts";

/**
 * What happened, in the words of no convention. Only a `model`, an `embedding` or a `rerank` counts
 * tokens and cost: what stands around them repeats the sums of what they contain.
 */
export type Kind =
  | "model"
  | "embedding"
  | "rerank"
  | "retrieval"
  | "tool"
  | "agent"
  | "step"
  | "score"
  | "error"
  | "other";

/** What was done to a value, beyond reading it; the inspector names these. */
export const mendings = [
  "cache_added_to_input",
  "reasoning_added_to_output",
  "aggregate_not_counted",
  "provider_inferred",
] as const;
export type Mending = (typeof mendings)[number];

/** A value, and the attributes it was made of. */
export interface Found {
  value: Value;
  keys: readonly string[];
  /** The value is this one attribute, as it is or as its JSON says. */
  whole?: true;
  rule?: Mending;
}

/** One place to look for a field. */
export interface Source {
  /** For people: the attribute, or where else it is found. */
  label: string;
  read(record: RawRecord): Found | undefined;
  /** Places of a field are tried by rank, then in the order of conventions. 100 unless told. */
  rank: number;
  /** The attribute, or the beginning of attributes, without which there is nothing to read. */
  needs?: { key: string } | { prefix: string };
}

export interface Convention {
  /** Short and unique: what the inspector names. */
  id: string;
  title: string;
  /** Where its names are defined. */
  source: string;
  /** By names alone, never by values. */
  recognises(record: RawRecord): boolean;
  /** Undefined when this convention does not say. */
  kind?(record: RawRecord): Kind | undefined;
  /** Conventions with a lower number are asked first for the kind. 100 unless told. */
  kindRank?: number;
  fields: Partial<Record<Target, readonly Source[]>>;
}

export const plainRank = 100;

/** An attribute as it is. */
export function attribute(key: string, rank = plainRank): Source {
  return {
    label: key,
    rank,
    needs: { key },
    read: ({ attributes }) => {
      const value = attributes[key];
      return isPresent(value) ? { value, keys: [key], whole: true } : undefined;
    },
  };
}

/** Several attributes, the earlier before the later. */
export function attributes(...keys: string[]): Source[] {
  return keys.map((key) => attribute(key));
}

/** An attribute of the resource. */
export function resource(key: string, rank = plainRank): Source {
  return {
    label: `resource: ${key}`,
    rank,
    read: ({ resource }) => {
      const value = resource[key];
      return isPresent(value) ? { value, keys: [] } : undefined;
    },
  };
}

/** A member of an attribute that holds JSON. */
export function member(key: string, path: string, rank = plainRank): Source {
  const steps = path.split(".");
  return {
    label: `${key} → ${path}`,
    rank,
    needs: { key },
    read: ({ attributes }) => {
      if (attributes[key] === undefined) return undefined;
      const value = memberOf(attributes[key], steps);
      return isPresent(value) ? { value, keys: [key] } : undefined;
    },
  };
}

/** A value made of one attribute. */
export function made(
  key: string,
  what: string,
  make: (value: Value, record: RawRecord) => Value | undefined,
  rank = plainRank,
): Source {
  return {
    label: what === "" ? key : `${key} (${what})`,
    rank,
    needs: { key },
    read: (record) => {
      const given = record.attributes[key];
      if (!isPresent(given)) return undefined;
      const value = make(given, record);
      return isPresent(value) ? { value, keys: [key] } : undefined;
    },
  };
}

/** An attribute in another unit. */
export function scaled(
  key: string,
  factor: number,
  what: string,
  rank = plainRank,
): Source {
  return made(key, what, (value) => {
    const number = numberOf(value);
    return number === undefined ? undefined : number * factor;
  }, rank);
}

/** Flattened attributes below a prefix, made into what they were. */
export function flattened(
  prefix: string,
  make: (value: Value) => Value | undefined,
  rank = plainRank,
): Source {
  return {
    label: `${prefix}*`,
    rank,
    needs: { prefix },
    read: ({ attributes }) => {
      const found = unflatten(attributes, prefix);
      if (found === undefined) return undefined;
      const value = make(found.value);
      return isPresent(value) ? { value, keys: found.keys } : undefined;
    },
  };
}

/** Anything else; `label` says where it is found. */
export function computed(
  label: string,
  read: (record: RawRecord) => Found | undefined,
  rank = plainRank,
): Source {
  return { label, rank, read };
}

/** Whether any attribute has a name that begins so. */
export function hasPrefix(
  { attributes }: RawRecord,
  ...prefixes: string[]
): boolean {
  for (const key in attributes) {
    for (const prefix of prefixes) if (key.startsWith(prefix)) return true;
  }
  return false;
}

export function has({ attributes }: RawRecord, ...keys: string[]): boolean {
  return keys.some((key) => isPresent(attributes[key]));
}

/** Whether any has the name, whatever its value: records of one shape are recognised alike. */
export function names({ attributes }: RawRecord, ...keys: string[]): boolean {
  return keys.some((key) => key in attributes);
}

/** Text of an attribute in small letters; empty when there is none. */
export function wordOf({ attributes }: RawRecord, key: string): string {
  return textOf(attributes[key])?.trim().toLowerCase() ?? "";
}
