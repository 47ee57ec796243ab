// What must not leave the machine: taken out of an event before it is sent. Pure.
//
// Keys, passwords and tokens always; personal data where `init` asks for it; all content where it is
// not to be captured. What is taken out leaves a mark that says of which kind it was.
import { fieldKinds } from "./event.ts";
import { kindOf } from "./fit.ts";
import type { SentEvent } from "./settings.ts";

/** Text in, text out: a program's own redaction. */
export type Redactor = (text: string) => string;

/** True takes out all personal data; names of kinds only those; functions do so themselves. */
export type Redact =
  | boolean
  | PersonalKind
  | Redactor
  | readonly (PersonalKind | Redactor)[];

const secret = "[SECRET]";
// A text in small letters without any of these holds none of the patterns: most are told by this.
const marks =
  /sk-|akia|asia|aiza|gh[pousr]_|github_pat_|xox[abeprs]-|bearer\s|basic\s|eyj|private key-----|:\/\/|glpat-|hf_/;
// The same of an event's JSON, which has keys as well.
const jsonMarks = new RegExp(
  `${marks.source}|(?:authorization|api[_-]?key|passw(?:or)?d|secret|[_-]token|private[_-]key|cookie|access[_-]key)"`,
);
const secrets: [RegExp, string][] = [
  [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*-----|$)/g,
    secret,
  ],
  [/\b(bearer|basic)\s+[\w.~+/=-]{12,}/gi, `$1 ${secret}`],
  [/\bsk-[\w-]{16,}/g, secret],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, secret],
  [/\bAIza[\w-]{35}/g, secret],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})/g, secret],
  [
    /\b(?:xox[abeprs]-[A-Za-z0-9-]{10,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,})/g,
    secret,
  ],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/g, secret],
  [/(?<=:\/\/)[^/\s:@"']{0,256}:[^/\s@"']{1,256}(?=@)/g, secret],
];
const secretKey =
  /^(?:(?:proxy_)?authorization|(?:x_)?api_?key|x_goog_api_key|passw(?:or)?d|(?:client_)?secret|(?:access|refresh|id)_token|private_key|(?:set_)?cookie|aws_(?:secret_access_key|session_token))$/i;

/** The narrow ones first: a card's digits would pass for a phone's. */
const personal = {
  EMAIL_ADDRESS: /[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g,
  IBAN: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g,
  CREDIT_CARD: /(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])/g,
  US_SSN: /(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])/g,
  IP_ADDRESS:
    /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])/g,
  PHONE_NUMBER:
    /(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)|\d{2,4})(?:[ .-]\d{2,4}){2,4}(?![\w.])/g,
};
export type PersonalKind = keyof typeof personal;

/** What was asked for, as functions, and what is no such kind. */
export function redactorsOf(
  wanted: unknown,
): { redactors: Redactor[]; unknown: string[] } {
  const kinds = Object.keys(personal) as PersonalKind[];
  const many: unknown[] = wanted === true ? kinds : Array.isArray(wanted) ? wanted : [wanted];
  const names = many.filter((one) => typeof one === "string").map((one) => one.toUpperCase());
  return {
    redactors: [
      ...kinds.filter((kind) => names.includes(kind)).map(redactorOf),
      ...many.filter((one) => typeof one === "function") as Redactor[],
    ],
    unknown: names.filter((name) => !(name in personal)),
  };
}

function redactorOf(kind: PersonalKind): Redactor {
  const mark = `[${kind}]`;
  const replace = (found: string) => kind !== "CREDIT_CARD" || isCard(found) ? mark : found;
  return (text) => text.replace(personal[kind], replace);
}

/** By its check digit. */
function isCard(text: string): boolean {
  const digits = text.replace(/\D/g, "").split("").reverse().map(Number);
  const sum = digits.reduce((sum, digit, at) => {
    const twice = 2 * digit;
    return sum + (at % 2 === 0 ? digit : twice > 9 ? twice - 9 : twice);
  }, 0);
  return sum % 10 === 0;
}

/** Whether an event's JSON may hold something that is always taken out. */
export function isSuspect(json: string): boolean {
  return jsonMarks.test(json.toLowerCase());
}

/** A cleaner copy. A redactor that throws has the text removed. */
export function scrub(
  event: SentEvent,
  redactors: readonly Redactor[],
): SentEvent {
  const clean = (value: unknown, key = ""): unknown => {
    if (typeof value === "string") {
      return secretKey.test(key.replaceAll("-", "_")) ? secret : cleanText(value, redactors);
    }
    if (Array.isArray(value)) return value.map((entry) => clean(entry));
    if (typeof value !== "object" || value === null) return value;
    return fromEntries(
      Object.entries(value).map(([name, entry]) => [name, clean(entry, name)]),
    );
  };
  return fromEntries(
    Object.entries(event).map(([name, value]) => {
      const kind = kindOf.get(name);
      const isName = kind === "id" || kind === "enum" || kind === "timestamp";
      return [name, isName || ownNames.has(name) ? value : clean(value)];
    }),
  );
}

/** What the program says of itself: nobody's data. */
const ownNames = new Set(["event_type", "client", "release", "env", "service"]);

/** A key may be `__proto__`. */
const fromEntries = Object.fromEntries as (
  entries: [string, unknown][],
) => SentEvent;

function cleanText(text: string, redactors: readonly Redactor[]): string {
  if (marks.test(text.toLowerCase())) {
    for (const [pattern, mark] of secrets) text = text.replace(pattern, mark);
  }
  for (const redact of redactors) {
    try {
      text = redact(text);
    } catch {
      return removed;
    }
    if (typeof text !== "string") return removed;
  }
  return text;
}

const removed = "[removed: redact failed]";

/** What people wrote or programs said; the rest is names, counts and times. */
export function isContent(name: string): boolean {
  const kind = kindOf.get(name);
  return kind === undefined && name !== "event_type" || kind === "list" ||
    kind === "text" ||
    name === "response_metadata" || name === "recommendations";
}

/** The names of what is sent without content. */
export const nameKinds: readonly (keyof typeof fieldKinds)[] = [
  "id",
  "label",
  "integer",
  "number",
  "timestamp",
  "enum",
];
