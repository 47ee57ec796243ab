// What stands in a text instead of a finding.
import { createHmac } from "node:crypto";
import type { Span } from "./kinds.ts";

/** Hexadecimal characters of a keyed hash: 48 bits, enough to tell a project's values apart. */
const hashCharacters = 12;

export function masked(kind: string): string {
  return `[${kind}]`;
}

/** The same value gives the same token, in whatever way it is written; without the key none is found. */
export function hashed(kind: string, value: string, key: string): string {
  const hash = createHmac("sha256", key).update(`${kind}\0${canonical(kind, value)}`).digest("hex");
  return `[${kind}:${hash.slice(0, hashCharacters)}]`;
}

export function dropped(spans: readonly Span[]): string {
  return `[dropped: ${[...new Set(spans.map((span) => span.kind))].sort().join(", ")}]`;
}

export const droppedUnscanned = "[dropped: not scanned]";

const separated = new Set([
  "CREDIT_CARD",
  "IBAN_CODE",
  "PHONE_NUMBER",
  "US_SSN",
  "US_ITIN",
  "UK_NHS",
  "UK_NINO",
  "ES_NIF",
  "ES_NIE",
  "MAC_ADDRESS",
]);

function canonical(kind: string, value: string): string {
  if (kind === "EMAIL_ADDRESS") return value.toLowerCase();
  return separated.has(kind) ? value.replace(/[^A-Za-z0-9]/g, "").toUpperCase() : value;
}
