// Fields of OTLP/JSON messages. Absent and null are the default, as proto3 JSON has it; what has
// another form is refused with the name of its field. Beyond the specification, ids in base64 and
// enums by name are taken: what generic protobuf libraries write is as clear.
import { ItemRefusal } from "../export.ts";

export type Message = Record<string, unknown>;

/** Throws ItemRefusal. */
export function messageOf(value: unknown, name: string): Message {
  if (value === undefined || value === null) return empty;
  if (typeof value === "object" && !Array.isArray(value)) return value as Message;
  throw mistyped(name, "an object", value);
}

const empty: Message = Object.freeze({});

export function listOf(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return none;
  if (Array.isArray(value)) return value;
  throw mistyped(name, "an array", value);
}

const none: readonly unknown[] = Object.freeze([]);

export function textOf(value: unknown, name: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw mistyped(name, "a string", value);
}

export function booleanOf(value: unknown, name: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw mistyped(name, "true or false", value);
}

/** 64 bits without a sign, as decimal text or a number; a number above 2^53 is what is left of it. */
export function uintegerOf(value: unknown, name: string): bigint {
  if (value === undefined || value === null || value === "") return 0n;
  const isWhole = typeof value === "string" ? digits.test(value) : Number.isInteger(value);
  const whole = isWhole ? BigInt(value as string | number) : -1n;
  if (whole >= 0n && whole < 2n ** 64n) return whole;
  throw mistyped(name, "a whole number from 0 to 2^64 - 1", value);
}

const digits = /^\d{1,20}$/;

/**
 * An integer: a number, or decimal text when a double does not hold it. Some producers write every
 * number without a fraction as one, so its 64 bits are not insisted on.
 */
export function integerOf(value: unknown, name: string): number | string {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !integer.test(value)) {
    throw mistyped(name, "a whole number", value);
  }
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const integer = /^-?\d{1,40}$/;

/** A number of 32 bits, with or without a sign. */
export function int32Of(value: unknown, name: string): number {
  if (value === undefined || value === null || value === "") return 0;
  const number = typeof value === "string" ? Number(value) : value;
  if (Number.isInteger(number) && Math.abs(number as number) < 2 ** 32) return number as number;
  throw mistyped(name, "a whole number of 32 bits", value);
}

/** Also "NaN", "Infinity" and "-Infinity". */
export function doubleOf(value: unknown, name: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && value.trim() !== "") {
    const number = Number(value);
    if (!Number.isNaN(number) || value === "NaN") return number;
  }
  throw mistyped(name, "a number", value);
}

/** A number as the specification wants it, or a name: `SPAN_KIND_CLIENT`. */
export function enumOf(value: unknown, name: string, names: readonly string[]): number {
  if (typeof value !== "string") return int32Of(value, name);
  const code = names.indexOf(value);
  return code === -1 ? int32Of(value, name) : code;
}

/** Lower-case hex when it is an id at all. */
export function idOf(value: unknown, name: string): string {
  const text = textOf(value, name);
  // Only base64 has padding, and both lengths of ids have it.
  if (base64.test(text)) return Buffer.from(text, "base64").toString("hex");
  return text.slice(0, idCharactersMax).toLowerCase();
}

const base64 = /^[A-Za-z0-9+/_-]{11,22}={1,2}$/;
/** Longer than any valid id. */
const idCharactersMax = 40;

/** Refuses a message that spells a field that it knows in snake_case. Throws ItemRefusal. */
export function refuseSnakeCase(message: Message, known: ReadonlySet<string>): void {
  for (const key in message) {
    if (!key.includes("_")) continue;
    const camel = camelCase(key);
    if (known.has(camel)) throw new ItemRefusal("invalid_field", snakeCase(key, camel));
  }
}

export function camelCase(key: string): string {
  return key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export function snakeCase(key: string, camel: string): string {
  return `the key "${key}" is not OTLP/JSON, whose keys are lowerCamelCase: "${camel}".`;
}

export function mistyped(name: string, wanted: string, value: unknown): ItemRefusal {
  const is = Array.isArray(value)
    ? "an array"
    : typeof value === "object"
    ? "an object"
    : JSON.stringify(value).slice(0, shownCharactersMax);
  return new ItemRefusal("invalid_field", `"${name}" is ${is}; ${wanted} is needed.`);
}

const shownCharactersMax = 60;
