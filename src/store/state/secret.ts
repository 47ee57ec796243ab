// Secrets: how they are made, what of them is kept, what of them may be shown.
import type { Scope } from "../../serve/principal.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const randomBytes = 32;
/** 62^43 > 2^256. */
const randomCharacters = 43;
const prefixCharactersMax = 12;

/** 256 random bits in letters and digits, which need no escape in any address or header. */
export function randomSecret(): string {
  let rest = 0n;
  for (const byte of crypto.getRandomValues(new Uint8Array(randomBytes))) {
    rest = rest << 8n | BigInt(byte);
  }
  let text = "";
  for (let at = 0; at < randomCharacters; at++) {
    text = alphabet[Number(rest % 62n)] + text;
    rest /= 62n;
  }
  return text;
}

/** The letter tells people what a key may do at most; nothing in the program reads it. */
export function randomKey(scopes: readonly Scope[]): string {
  const letter = scopes.includes("admin") ? "a" : scopes.includes("read") ? "r" : "i";
  return `wl_${letter}_${randomSecret()}`;
}

/**
 * What is kept of a secret. Plain SHA-256 is enough for random ones; it makes finding a key one
 * look-up that takes the same time for every wrong key.
 */
export function hashOf(secret: string): string {
  return new Bun.CryptoHasher("sha256").update(secret).digest("hex");
}

/** Enough to tell keys apart, too little to guess one: never more than a quarter. */
export function prefixOf(secret: string): string {
  return secret.slice(0, Math.min(prefixCharactersMax, Math.floor(secret.length / 4)));
}
