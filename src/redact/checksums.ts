// Check digits and check letters of numbers that carry one. Each takes digits or capitals without
// separators, of the right length unless it says otherwise.
import { createHash } from "node:crypto";

export function luhn(digits: string): boolean {
  let sum = 0, twice = false;
  for (let at = digits.length - 1; at >= 0; at--) {
    let value = digits.charCodeAt(at) - 48;
    if (twice && (value *= 2) > 9) value -= 9;
    sum += value;
    twice = !twice;
  }
  return sum % 10 === 0;
}

/** Remainder of a long number with letters as two digits (A is 10), as IBANs use. */
export function mod97(text: string): number {
  let rest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const value = code <= 57 ? code - 48 : code - 55;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

/** Length of an IBAN by country. */
const ibanLengths: Record<string, number> = Object.assign(Object.create(null), {
  AD: 24,
  AE: 23,
  AL: 28,
  AT: 20,
  AZ: 28,
  BA: 20,
  BE: 16,
  BG: 22,
  BH: 22,
  BI: 27,
  BR: 29,
  BY: 28,
  CH: 21,
  CR: 22,
  CY: 28,
  CZ: 24,
  DE: 22,
  DJ: 27,
  DK: 18,
  DO: 28,
  EE: 20,
  EG: 29,
  ES: 24,
  FI: 18,
  FK: 18,
  FO: 18,
  FR: 27,
  GB: 22,
  GE: 22,
  GI: 23,
  GL: 18,
  GR: 27,
  GT: 28,
  HR: 21,
  HU: 28,
  IE: 22,
  IL: 23,
  IQ: 23,
  IS: 26,
  IT: 27,
  JO: 30,
  KW: 30,
  KZ: 20,
  LB: 28,
  LC: 32,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  LY: 25,
  MC: 27,
  MD: 24,
  ME: 22,
  MK: 19,
  MN: 20,
  MR: 27,
  MT: 31,
  MU: 30,
  NI: 28,
  NL: 18,
  NO: 15,
  OM: 23,
  PK: 24,
  PL: 28,
  PS: 29,
  PT: 25,
  QA: 29,
  RO: 24,
  RS: 22,
  RU: 33,
  SA: 24,
  SC: 31,
  SD: 18,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  SO: 23,
  ST: 25,
  SV: 28,
  TL: 23,
  TN: 24,
  TR: 26,
  UA: 29,
  VA: 22,
  VG: 24,
  XK: 20,
  YE: 30,
}); // deno-fmt-ignore-line

export const ibanCountries: readonly string[] = Object.keys(ibanLengths);

/** By two letters of five bits. */
const lengthOfCountry = new Uint8Array(1 << 10);
for (const country of ibanCountries) {
  const [first, second] = [country.charCodeAt(0), country.charCodeAt(1)];
  lengthOfCountry[(first & 31) << 5 | second & 31] = ibanLengths[country]!;
}

/** Characters that an IBAN has whose country has these letters, by their codes; 0 when none does. */
export function ibanLength(first: number, second: number): number {
  return lengthOfCountry[(first & 31) << 5 | second & 31]!;
}

export function iban(text: string): boolean {
  return mod97(text.slice(4) + text.slice(0, 4)) === 1;
}

export function nhs(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < 9; at++) sum += (digits.charCodeAt(at) - 48) * (10 - at);
  const check = 11 - sum % 11;
  return check !== 10 && check % 11 === digits.charCodeAt(9) - 48;
}

const peselWeights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3];

export function pesel(digits: string): boolean {
  const month = Number(digits.slice(2, 4)) % 20;
  const day = Number(digits.slice(4, 6));
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  let sum = 0;
  peselWeights.forEach((weight, at) => sum += weight * (digits.charCodeAt(at) - 48));
  return (10 - sum % 10) % 10 === digits.charCodeAt(10) - 48;
}

const spanishLetters = "TRWAGMYFPDXBNJZSQVHLCKE";

/** 7 or 8 digits and their letter. */
export function spanishTaxLetter(digits: string, letter: string): boolean {
  return spanishLetters[Number(digits) % 23] === letter;
}

/** X, Y or Z, 7 digits, and their letter. */
export function spanishForeignerLetter(text: string): boolean {
  const first = "XYZ".indexOf(text[0]!);
  return spanishLetters[Number(first + text.slice(1, 8)) % 23] === text[8];
}

const oddValues = [
  1,
  0,
  5,
  7,
  9,
  13,
  15,
  17,
  19,
  21,
  2,
  4,
  18,
  20,
  11,
  3,
  6,
  8,
  12,
  14,
  16,
  10,
  22,
  25,
  24,
  23,
];

/** 16 characters. Digits count like the letters A to J. */
export function italianFiscalLetter(text: string): boolean {
  let sum = 0;
  for (let at = 0; at < 15; at++) {
    const code = text.charCodeAt(at);
    const value = code <= 57 ? code - 48 : code - 65;
    sum += at % 2 === 0 ? oddValues[value]! : value;
  }
  return sum % 26 === text.charCodeAt(15) - 65;
}

export function italianVat(digits: string): boolean {
  return digits !== "00000000000" && luhn(digits);
}

export function abaRouting(digits: string): boolean {
  const [a, b, c, d, e, f, g, h, i] = Array.from(digits, Number) as [
    ...[number, number, number, number, number, number, number, number, number],
  ];
  const first = Number(digits.slice(0, 2));
  const issued = first <= 12 || (first >= 21 && first <= 32) || (first >= 61 && first <= 72) ||
    first === 80;
  return issued && (3 * (a + d + g) + 7 * (b + e + h) + c + f + i) % 10 === 0;
}

/** The 7 digits of a US DEA number. */
export function dea(digits: string): boolean {
  const [a, b, c, d, e, f, g] = Array.from(digits, Number) as [
    ...[number, number, number, number, number, number, number],
  ];
  return (a + c + e + 2 * (b + d + f)) % 10 === g;
}

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A Bitcoin address that starts with 1 or 3: 25 bytes, the last four of them a hash of the rest. */
export function base58Check(text: string): boolean {
  let number = 0n;
  for (const letter of text) {
    const value = base58.indexOf(letter);
    if (value === -1) return false;
    number = number * 58n + BigInt(value);
  }
  const hex = number.toString(16).padStart(50, "0");
  if (hex.length !== 50) return false;
  const bytes = Buffer.from(hex, "hex");
  if (bytes[0] !== 0 && bytes[0] !== 5) return false;
  const hash = sha256(sha256(bytes.subarray(0, 21)));
  return hash.subarray(0, 4).equals(bytes.subarray(21));
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

const bech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const bech32Generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** What bech32 (1) or bech32m (0x2bc830a3) leaves; null when a character is not of its alphabet. */
export function bech32Rest(prefix: string, data: string): number | null {
  let rest = 1;
  const step = (value: number) => {
    const top = rest >>> 25;
    rest = ((rest & 0x1ffffff) << 5) ^ value;
    bech32Generators.forEach((generator, bit) => {
      if ((top >>> bit) & 1) rest ^= generator;
    });
  };
  for (const letter of prefix) step(letter.charCodeAt(0) >> 5);
  step(0);
  for (const letter of prefix) step(letter.charCodeAt(0) & 31);
  for (const letter of data) {
    const value = bech32.indexOf(letter);
    if (value === -1) return null;
    step(value);
  }
  return rest;
}

/** A Bitcoin address that starts with bc1, all lower or all upper case. */
export function bech32Address(text: string): boolean {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return false;
  const rest = bech32Rest("bc", lower.slice(3));
  return rest === 1 || rest === 0x2bc830a3;
}

/** Bits per character. */
export function entropy(text: string): number {
  const counts = new Map<number, number>();
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  let bits = 0;
  for (const count of counts.values()) {
    bits -= count / text.length * Math.log2(count / text.length);
  }
  return bits;
}
