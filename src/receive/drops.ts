// What an SDK says it had to drop, so that no loss is silent: `x-aisentry-drops: queue_full=12`.

export const dropsHeader = "x-aisentry-drops";

const reasonsMax = 16;
const pair = /^([a-z0-9_]{1,40})=(\d{1,15})$/;

/** `reason=count,…` → counts; parts that are no such pair are left out. */
export function parseDrops(header: string | undefined): Map<string, number> {
  const drops = new Map<string, number>();
  for (const part of header?.split(",", reasonsMax) ?? []) {
    const [, reason, count] = pair.exec(part.trim()) ?? [];
    if (reason !== undefined) drops.set(reason, (drops.get(reason) ?? 0) + Number(count));
  }
  return drops;
}
