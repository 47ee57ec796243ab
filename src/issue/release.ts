// Which of two releases is the later one. Pure.
import type { FirstSeen } from "./state.ts";

const semantic =
  /^(?:(.*)@)?v?(\d{1,15})\.(\d{1,15})(?:\.(\d{1,15}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

interface Version {
  program: string;
  numbers: [number, number, number];
  /** Empty for a release that is final. */
  before: string[];
}

function versionOf(release: string): Version | null {
  const match = semantic.exec(release);
  if (match === null) return null;
  const [, program = "", major, minor, patch = "0", before] = match;
  return {
    program,
    numbers: [Number(major), Number(minor), Number(patch)],
    before: before === undefined ? [] : before.split("."),
  };
}

/**
 * By Semantic Versioning when both are versions of one program (`1.4.0`, `v1.4`, `shop@1.4.0-rc.1`);
 * else, as for commits and dates, by when the project first sent an event of each.
 */
export function isLater(release: string, than: string, firstSeen: FirstSeen): boolean {
  if (release === than) return false;
  const [one, other] = [versionOf(release), versionOf(than)];
  if (one !== null && other !== null && one.program === other.program) {
    return compare(one, other) > 0;
  }
  const [seen, before] = [firstSeen(release), firstSeen(than)];
  // A release that nobody has sent yet comes after all that were sent.
  if (before === null) return false;
  return seen === null || seen > before;
}

function compare(one: Version, other: Version): number {
  for (const [at, number] of one.numbers.entries()) {
    if (number !== other.numbers[at]) return number - other.numbers[at]!;
  }
  if (one.before.length === 0 || other.before.length === 0) {
    return (one.before.length === 0 ? 1 : 0) - (other.before.length === 0 ? 1 : 0);
  }
  for (let at = 0; at < Math.max(one.before.length, other.before.length); at++) {
    const order = compareParts(one.before[at], other.before[at]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers come before words, and fewer parts before more. */
function compareParts(one: string | undefined, other: string | undefined): number {
  if (one === undefined || other === undefined) {
    return one === other ? 0 : one === undefined ? -1 : 1;
  }
  const [a, b] = [one, other].map((part) => /^\d{1,15}$/.test(part) ? Number(part) : null);
  if (a !== null && b !== null) return a! - b!;
  if (a !== null || b !== null) return a !== null ? -1 : 1;
  return one < other ? -1 : one > other ? 1 : 0;
}
