// What can be found in a text, and how surely. The names are Presidio's where it has one.

export interface KindRow {
  /** How a candidate is judged: by a checksum, by its form, or only with a telling word before it. */
  by: "checksum" | "form" | "context";
  help: string;
}

/** In order of precedence: of two findings that overlap, the earlier kind names both. */
export const kindTable = {
  SECRET: { by: "form", help: "Keys, tokens, passwords and private keys, by the form of each." },
  URL_CREDENTIALS: { by: "form", help: "user:password in an address." },
  EMAIL_ADDRESS: { by: "form", help: "E-mail addresses." },
  CREDIT_CARD: { by: "checksum", help: "Payment cards: issuer, length and Luhn." },
  IBAN_CODE: { by: "checksum", help: "Bank accounts: length of the country and mod 97." },
  CRYPTO: { by: "checksum", help: "Bitcoin addresses: base58check, bech32 and bech32m." },
  MAC_ADDRESS: { by: "form", help: "Addresses of network devices." },
  IP_ADDRESS: { by: "form", help: "IPv4 and IPv6, but for loopback and unspecified ones." },
  US_SSN: { by: "form", help: "US social security numbers; without separators with context." },
  US_ITIN: { by: "form", help: "US taxpayer numbers; without separators with context." },
  UK_NHS: { by: "checksum", help: "UK health service numbers: mod 11; bare with context." },
  UK_NINO: { by: "form", help: "UK national insurance numbers." },
  ES_NIF: { by: "checksum", help: "Spanish tax numbers: check letter." },
  ES_NIE: { by: "checksum", help: "Spanish numbers of foreigners: check letter." },
  IT_FISCAL_CODE: { by: "checksum", help: "Italian fiscal codes: check letter." },
  IT_VAT_CODE: { by: "context", help: "Italian VAT numbers: check digit and context." },
  IT_PASSPORT: { by: "context", help: "Italian passports." },
  IT_IDENTITY_CARD: { by: "context", help: "Italian identity cards." },
  IT_DRIVER_LICENSE: { by: "context", help: "Italian driving licences." },
  PL_PESEL: { by: "checksum", help: "Polish national numbers: date and check digit." },
  US_PASSPORT: { by: "context", help: "US passports." },
  US_DRIVER_LICENSE: { by: "context", help: "US driving licences." },
  US_BANK_NUMBER: { by: "context", help: "US bank accounts." },
  ABA_ROUTING_NUMBER: { by: "context", help: "US bank routing numbers: check digit and context." },
  MEDICAL_LICENSE: { by: "context", help: "US DEA numbers: check digit and context." },
  PHONE_NUMBER: {
    by: "form",
    help: "International numbers, and national ones of US, CA, GB, DE, FR, ES, IT, IN and BR.",
  },
} as const satisfies Record<string, KindRow>;

export type Kind = keyof typeof kindTable;

export const kinds = Object.keys(kindTable) as Kind[];

const precedence = new Map<string, number>(kinds.map((kind, at) => [kind, at]));

/** Smaller goes first; a project's own patterns go last. */
export function precedenceOf(kind: string): number {
  return precedence.get(kind) ?? kinds.length;
}

/** Counted for a text that could not be scanned within its bounds; it is never stored raw. */
export const notScanned = "NOT_SCANNED";

/** A finding: characters `start` to `end` of a text. */
export interface Span {
  start: number;
  end: number;
  kind: string;
  /** Which rule of SECRET. */
  rule?: string;
}

export function isKind(name: string): name is Kind {
  return Object.hasOwn(kindTable, name);
}
