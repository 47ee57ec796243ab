// When nobody is told: a snooze, and windows of the week in a time zone.
import type { MuteWindow, Rule } from "./rule.ts";

const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
type Day = (typeof days)[number];

export function isMuted(rule: Pick<Rule, "mute" | "snoozed_until">, at: number): boolean {
  const { snoozed_until } = rule;
  if (snoozed_until !== null && at < Date.parse(snoozed_until)) return true;
  return rule.mute.some((window) => isWithin(window, at));
}

function isWithin(window: MuteWindow, at: number): boolean {
  const { day, minute } = localTime(at, window.timezone);
  const from = minutesOf(window.from);
  const until = minutesOf(window.until);
  const on = (name: Day) => window.days === undefined || window.days.includes(name);
  if (from < until) return on(day) && minute >= from && minute < until;
  const before = days[(days.indexOf(day) + 6) % 7]!;
  return (on(day) && minute >= from) || (on(before) && minute < until);
}

function minutesOf(text: string): number {
  const [hours, minutes] = text.split(":").map(Number);
  return hours! * 60 + minutes!;
}

export function isWeekend(at: number, timeZone: string): boolean {
  const { day } = localTime(at, timeZone);
  return day === "sat" || day === "sun";
}

const formats = new Map<string, Intl.DateTimeFormat>();
const formatsMax = 100;

function localTime(at: number, timeZone: string): { day: Day; minute: number } {
  let format = formats.get(timeZone);
  if (format === undefined) {
    if (formats.size >= formatsMax) formats.clear();
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    formats.set(timeZone, format);
  }
  const part = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    day: part.get("weekday")!.toLowerCase() as Day,
    minute: Number(part.get("hour")) * 60 + Number(part.get("minute")),
  };
}
