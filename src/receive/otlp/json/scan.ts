// Whether JSON text is worth parsing: its depth and its number of values, from one look at its bytes.
import { ExportError, valueDepthMax } from "../export.ts";

/** An attribute's level is up to five of JSON; the envelope of a span event has thirteen. */
const depthMax = valueDepthMax * 5 + 16;
/** An attribute is four of them. Parsing takes seconds for as many keys that all differ. */
const valuesMax = 1_500_000;
/** Less than this is bounded by its size. */
const scannedBytesMin = 1024 * 1024;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Throws ExportError when parsing would cost too much. */
export function checkBounds(bytes: Uint8Array): void {
  if (bytes.length < scannedBytesMin) return;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case quote:
        for (at++; at < bytes.length && bytes[at] !== quote; at++) {
          if (bytes[at] === backslash) at++;
        }
        break;
      case openBrace:
      case openBracket:
        values++;
        if (++depth > depthMax) {
          throw new ExportError("invalid_json", `The JSON nests deeper than ${depthMax} levels.`);
        }
        break;
      case closeBrace:
      case closeBracket:
        depth--;
        break;
      case comma:
        values++;
    }
  }
  if (values > valuesMax) {
    throw new ExportError(
      "too_many_values",
      `The request has ${values} values; at most ${valuesMax} are taken. Send smaller batches.`,
    );
  }
}
