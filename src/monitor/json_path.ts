// Places in a JSON value: `$.choices[0].name`, `$["a key"]`, `$.items[-1]`. One place, no wildcards.

export type Step = string | number;

const stepPattern = /\.([A-Za-z_][\w-]*)|\[(-?\d{1,9})\]|\["((?:[^"\\]|\\["\\])*)"\]/y;

/** Null when it is no path. */
export function parsePath(text: string): Step[] | null {
  const whole = text.startsWith("$") ? text.slice(1) : /^[A-Za-z_]/.test(text) ? `.${text}` : text;
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  while (stepPattern.lastIndex < whole.length) {
    const found = stepPattern.exec(whole);
    if (found === null) return null;
    const [, name, index, quoted] = found;
    steps.push(
      index === undefined ? name ?? quoted!.replaceAll(/\\(["\\])/g, "$1") : Number(index),
    );
  }
  return steps;
}

/** Undefined when there is nothing; an index below zero counts from the end. */
export function valueAt(value: unknown, steps: readonly Step[]): unknown {
  let at = value;
  for (const step of steps) {
    if (Array.isArray(at)) at = typeof step === "number" ? at.at(step) : undefined;
    else if (typeof at !== "object" || at === null) return undefined;
    else at = Object.hasOwn(at, step) ? (at as Record<string, unknown>)[step] : undefined;
  }
  return at;
}

/** Equal as JSON: objects whatever the order of their keys. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    // 0 and -0 are one number in JSON.
    return one === other;
  }
  if (Array.isArray(one) || Array.isArray(other)) {
    return Array.isArray(one) && Array.isArray(other) && one.length === other.length &&
      one.every((item, index) => sameJson(item, other[index]));
  }
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length &&
    keys.every((key) =>
      Object.hasOwn(other, key) &&
      sameJson((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key])
    );
}
