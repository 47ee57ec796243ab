// Which signal an export in protobuf is of. Requests of all signals share their outer numbers, so an
// export sent to another signal's path may well be read there, as nonsense. What tells them apart is
// the form of each field of an item.
import { ExportError, type Signal } from "../export.ts";
import { bytes, fixed32, fixed64, Reader, varint } from "./wire.ts";

// deno-fmt-ignore
const tags: Record<Signal, readonly number[]> = {
  traces: [
    bytes(1), bytes(2), bytes(3), bytes(4), bytes(5), varint(6), fixed64(7), fixed64(8), bytes(9),
    varint(10), bytes(11), varint(12), bytes(13), varint(14), bytes(15), fixed32(16),
  ],
  logs: [
    fixed64(1), varint(2), bytes(3), bytes(5), bytes(6), varint(7), fixed32(8), bytes(9),
    bytes(10), fixed64(11), bytes(12),
  ],
  metrics: [
    bytes(1), bytes(2), bytes(3), bytes(5), bytes(7), bytes(9), bytes(10), bytes(11), bytes(12),
  ],
};

/** What hardly any item of the signal is without, and no valid one of another signal has. */
const evidence: Record<Signal, (found: readonly number[]) => boolean> = {
  traces: (found) => found.includes(fixed64(7)) || found.includes(fixed64(8)),
  logs: (found) => found.includes(fixed64(1)) || found.includes(fixed64(11)),
  metrics: (found) =>
    found.includes(bytes(1)) && [5, 7, 9, 10, 11].some((data) => found.includes(bytes(data))),
};

const fieldsMax = 64;

export interface Shape {
  /** False when the first item has a field that the signal has in another form. */
  fits: boolean;
  /** The signal that it seems to be of instead. */
  other: Signal | null;
}

/** What the first item of a request looks like, for the signal that it was sent as. */
export function shapeOf(body: Uint8Array, signal: Signal): Shape {
  const found = tagsOfFirstItem(body);
  const fits = (one: Signal) =>
    found.every((tag) =>
      tags[one].includes(tag) || !tags[one].some((known) => known >> 3 === tag >> 3)
    );
  const others = (Object.keys(tags) as Signal[]).filter((one) => one !== signal);
  return {
    fits: fits(signal),
    other: others.find((one) => fits(one) && evidence[one](found)) ?? null,
  };
}

function tagsOfFirstItem(body: Uint8Array): number[] {
  const found: number[] = [];
  const wire = new Reader(body);
  try {
    // Resource, scope, item.
    for (const field of [1, 2, 2]) if (!enterFirst(wire, field)) return [];
    for (let tag = wire.tag(); tag !== 0 && found.length < fieldsMax; tag = wire.tag()) {
      found.push(tag);
      wire.skip(tag);
    }
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
  }
  return found;
}

function enterFirst(wire: Reader, field: number): boolean {
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    if (tag === bytes(field)) {
      wire.enter();
      return true;
    }
    wire.skip(tag);
  }
  return false;
}
