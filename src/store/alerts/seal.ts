// Secrets of channels at rest: AES-256-GCM with a key in a file of its own, mode 0600. The key is
// not in the database that holds what it seals: a copy of that database alone opens nothing.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { publishDurably, writeDurably } from "../durable.ts";

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const version = "v1";

/** The sealed text was made with another key, for another channel, or was changed. */
export class CannotUnseal extends Error {}

export class Seal {
  constructor(readonly key: Uint8Array) {
    if (key.length !== keyBytes) throw new RangeError(`A key has ${keyBytes} bytes.`);
  }

  /** `owner` is bound in: what was sealed for one channel does not open as another's. */
  seal(secrets: Record<string, unknown>, owner: string): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", this.key, nonce);
    cipher.setAAD(Buffer.from(owner));
    const text = Buffer.concat([cipher.update(JSON.stringify(secrets), "utf8"), cipher.final()]);
    return `${version}.${Buffer.concat([nonce, text, cipher.getAuthTag()]).toString("base64")}`;
  }

  /** Throws CannotUnseal. */
  open(sealed: string, owner: string): Record<string, unknown> {
    try {
      const [made, text = ""] = sealed.split(".");
      const bytes = Buffer.from(text, "base64");
      if (made !== version) throw new Error(`version ${made}`);
      const decipher = createDecipheriv("aes-256-gcm", this.key, bytes.subarray(0, nonceBytes));
      decipher.setAAD(Buffer.from(owner));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      const opened = decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, "utf8") +
        decipher.final("utf8");
      return JSON.parse(opened);
    } catch (error) {
      throw new CannotUnseal("The secret of this channel cannot be read; set it anew.", {
        cause: error,
      });
    }
  }
}

/** The key of this data directory, made when there is none. */
export async function openSeal(path: string): Promise<Seal> {
  try {
    return new Seal(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const key = randomBytes(keyBytes);
  await writeDurably(`${path}.draft`, key);
  await publishDurably(`${path}.draft`, path);
  return new Seal(key);
}
