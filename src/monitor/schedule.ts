// When a monitor is to be checked. Each has a place of its own within its interval, or within a minute,
// so that monitors that were made together are not checked together; and a little jitter.

const minuteMs = 60_000;
const jitterMsMax = 20_000;
const jitterShare = 0.1;
/** Longer intervals are kept to the minute: a daily check does not come half a day late. */
const spreadMinutesMax = 10;
/** Later than this, the server was away: what was missed is not made up for all at once. */
const lateMsMax = minuteMs;
const spreadMsMax = minuteMs;

/** The time after `nowMs` at which the next check is due. */
export function nextAfter(
  id: string,
  intervalMinutes: number,
  nowMs: number,
  random: number,
): number {
  const intervalMs = intervalMinutes * minuteMs;
  const gridMs = intervalMinutes > spreadMinutesMax ? minuteMs : intervalMs;
  const phaseMs = phaseOf(id) * gridMs;
  // Of its places, the one nearest to an interval from now.
  const slot = Math.round((nowMs + intervalMs - phaseMs) / gridMs) * gridMs + phaseMs;
  return slot + random * Math.min(intervalMs * jitterShare, jitterMsMax);
}

/** When what was due at `nextAt` is to be checked by a server that was away, or whose clock jumped. */
export function resumedAt(
  id: string,
  intervalMinutes: number,
  nextAt: number,
  nowMs: number,
): number {
  const intervalMs = intervalMinutes * minuteMs;
  const isSetBack = nextAt - nowMs > 2 * intervalMs;
  if (!isSetBack && nowMs - nextAt <= lateMsMax) return nextAt;
  return nowMs + phaseOf(id) * Math.min(intervalMs, spreadMsMax);
}

/** From 0 up to 1, the same for the same id. */
function phaseOf(id: string): number {
  return Bun.hash.crc32(id) / 2 ** 32;
}
