// Numbers of OTLP as JSON and as columns hold them.

/** A number, or decimal text when a double does not hold it. */
export function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** JSON has no NaN and no infinities. */
export function numberValue(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** For a column, which has none of them either. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
