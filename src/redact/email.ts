// E-mail addresses and passwords in URLs: what stands around an @ and a ://. Both look a bounded way
// in each direction, so a text of nothing else takes linear time.
import { isAlphanumeric, isDigit, isForeignLetter, isLetter } from "./characters.ts";
import type { Span } from "./kinds.ts";

const localMax = 64;
const domainMax = 253;
const userinfoMax = 512;

/** Punctuation that addresses really use; the rest delimits them in code and logs. */
const localPunctuation = new Set(Array.from("._%+-'~", (sign) => sign.charCodeAt(0)));

/** `icon@2x.png` and unit names of systemd are no addresses. */
const noDomain = /^\d+x\.[a-z]+$|\.(?:service|socket|timer|target|mount|slice)$/i;

/** `at` is the index of an @. */
export function emailAt(text: string, at: number): Span | null {
  const start = localStart(text, at);
  if (start === at) return null;
  const end = domainEnd(text, at + 1);
  if (end === -1 || noDomain.test(text.slice(at + 1, end))) return null;
  // What git calls a remote: every repository of a host has the same.
  if (text.slice(start, at) === "git" && text[end] === ":") return null;
  return { start, end, kind: "EMAIL_ADDRESS" };
}

function localStart(text: string, at: number): number {
  let start = at;
  const floor = Math.max(0, at - localMax);
  while (start > floor) {
    const code = text.charCodeAt(start - 1);
    if (!isAlphanumeric(code) && !localPunctuation.has(code) && !isForeignLetter(code)) break;
    start--;
  }
  // A quote or a dash before an address is not of it.
  while (start < at) {
    const code = text.charCodeAt(start);
    if (isAlphanumeric(code) || isForeignLetter(code) || code === 95 || code === 43) break;
    start++;
  }
  return start;
}

/** Index after the domain; -1 when there is none. */
function domainEnd(text: string, from: number): number {
  let labelStart = from, end = -1, labels = 0;
  const limit = Math.min(text.length, from + domainMax);
  while (labelStart < limit) {
    let at = labelStart, letters = 0;
    while (at < limit) {
      const code = text.charCodeAt(at);
      if (isLetter(code) || isForeignLetter(code)) letters++;
      else if (!isDigit(code) && code !== 45) break;
      at++;
    }
    if (at === labelStart) break;
    labels++;
    let labelEnd = at;
    while (labelEnd > labelStart && text.charCodeAt(labelEnd - 1) === 45) labelEnd--;
    const punycode = text.startsWith("xn--", labelStart);
    // A domain ends with a label of letters, and has another before it.
    if (labels > 1 && letters >= 2 && (letters === labelEnd - labelStart || punycode)) {
      end = labelEnd;
    }
    if (text.charCodeAt(at) !== 46) break;
    labelStart = at + 1;
  }
  return end;
}

/** Values that say where a password goes, and are none. */
const placeholder =
  /^(?:[{<$%*].*|x+|\.+|pass(?:word)?|pwd|user|secret|redacted|\[[A-Z_0-9:a-f]+\])$/i;

/** `from` is the index after ://. The span is user:password without the @. */
export function urlCredentialsAt(text: string, from: number): Span | null {
  const limit = Math.min(text.length, from + userinfoMax);
  let colon = -1, end = -1;
  for (let at = from; at < limit; at++) {
    const code = text.charCodeAt(at);
    // Whitespace, quotes, <, >, and what ends the authority of an address.
    if (code <= 32 || code === 34 || code === 39 || code === 60 || code === 62 || code === 96) {
      break;
    }
    if (code === 47 || code === 63 || code === 92) break;
    if (code === 58 && colon === -1) colon = at;
    if (code === 64) end = at;
  }
  if (colon === -1 || end <= colon + 1) return null;
  if (placeholder.test(text.slice(colon + 1, end))) return null;
  return { start: from, end, kind: "URL_CREDENTIALS" };
}
