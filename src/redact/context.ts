// Words that tell what a number is: those shortly before it, and the key it stands under.
import { isDigit, isLetter } from "./characters.ts";

/** What is known of a text besides its characters. */
export interface Place {
  /** Name that the text stands under, "" when there is none. */
  key: string;
  /** An id or label: digits alone mean nothing there. */
  identifier: boolean;
}

/** How far before a number a word still speaks of it. */
const reachCharacters = 48;

const words = {
  phone:
    /(?:phone|telephone|telefon|t[eé]l[eé]fono?|telefone|\btel\b|\btél\b|mobile|mobil\b|m[oó]vil|handy|\bcell\b|\bcellphone|cellulare|celular|portable|whatsapp|\bsms\b|\bfax\b|hotline|rufnummer|call me|reach me|ring me|contact[_ ](?:no|number)|फ़ोन|फोन|मोबाइल)/i,
  ssn: /(?:\bssn\b|ssn_|_ssn|social[\s_-]?security|\bss#|\bssns?\b)/i,
  itin: /(?:\bitin\b|individual taxpayer|taxpayer[\s_-]?id|\btax[\s_-]?id)/i,
  nhs: /(?:\bnhs\b|nhs_|national health)/i,
  pesel: /pesel/i,
  passport: /(?:passport|passeport|pasaporte|reisepass|passaporto)/i,
  bank:
    /(?:bank|\bacct\b|checking|savings|account[\s_-]?(?:number|no\b|num|#)|direct deposit|\bdebit\b)/i,
  routing: /(?:routing|\baba\b|\brtn\b|transit number)/i,
  driver:
    /(?:driv(?:er|ing)['’]?s?[\s_-]?(?:licen[cs]e|permit)|\bdl[\s_#:-]|\blic(?:ence|ense)? ?(?:#|no\b|number)|patente)/i,
  medical: /(?:\bdea\b|medical[\s_-]?licen[cs]e|prescriber|certificate)/i,
  vat: /(?:partita[\s_-]?iva|p\.? ?iva|\bvat\b|\bpiva\b)/i,
  identityCard: /(?:carta d.identit|identity[\s_-]?card|\bcie\b|\bid card)/i,
  address: /(?:\bips?\b|address|host|server|client|remote|\bdns\b|ping|gateway|subnet|:\/\/)/i,
  order:
    /(?:order|invoice|tracking|ticket|booking|reservation|reference|\bref|serial|\bsku|isbn|article|\bpart|\bid|_id|number of|total|amount|price|#|№|[$€£¥])[\s:#"'=._-]*(?:no\.?|number|id|nr\.?)?[\s:#"'=._-]*$/i,
} as const;

export type Context = keyof typeof words;

/** Whether a key says what the numbers under it are, or are not. */
export function tellsNumber(key: string): boolean {
  return /version|release|build|card|insurance|nino/i.test(key) ||
    (Object.keys(words) as Context[]).some((context) => words[context].test(key));
}

/** Whether such a word stands shortly before the index, or in the key. */
export function speaksOf(context: Context, text: string, start: number, place: Place): boolean {
  const pattern = words[context];
  if (place.key !== "" && pattern.test(place.key)) return true;
  return start > 0 && pattern.test(wordsBefore(text, start));
}

/**
 * The text before a number, from the end of another field of JSON, or from the start of its line when
 * that holds a word of its own.
 */
function wordsBefore(text: string, start: number): string {
  const floor = Math.max(0, start - reachCharacters);
  let worded = false;
  for (let at = start - 1; at >= floor; at--) {
    const code = text.charCodeAt(at);
    if (isLetter(code) || code > 127) worded = true;
    else if (!worded) continue;
    else if (code === 10) return text.slice(at + 1, start);
    else if (code === 44 || code === 59) {
      const before = text.charCodeAt(at - 1);
      if (before === 34 || before === 93 || before === 125 || isDigit(before)) {
        return text.slice(at + 1, start);
      }
    }
  }
  return text.slice(floor, start);
}
