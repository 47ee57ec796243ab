// Figures as the page shows them: what is unknown is never zero, and what is small is never hidden.
import {
  ago,
  bytes,
  dollars,
  duration,
  exact,
  moment,
  percent,
  plural,
  short,
} from "../../web/parts/format.ts";
import { checks } from "../check.ts";

const cost = checks("cost", dollars);
cost("unknown", null, "unknown");
cost("absent", undefined, "unknown");
cost("free", 0, "$0");
cost("of one small call", 0.0000862, "$0.000086");
cost("less than is shown", 0.0000001, "<$0.000001");
cost("of a call", 0.0054381, "$0.005438");
cost("of cents", 0.1234567, "$0.1235");
cost("of dollars", 1234.5, "$1,234.50");
cost("of much", 1_234_567, "$1.2M");

const time = checks("duration", duration);
time("unknown", null, "–");
time("none", 0, "0 ms");
time("below a millisecond", 0.42, "0.4 ms");
time("milliseconds", 948, "948 ms");
time("almost a second is one", 999.7, "1.00 s");
time("seconds", 1317, "1.32 s");
time("many seconds", 24_889, "24.9 s");
time("minutes", 125_000, "2 min 05 s");
time("almost an hour is one", 3_599_900, "1 h 00 min");
time("days", 3 * 86_400_000, "3.0 d");

const share = checks("share", percent);
share("unknown", null, "unknown");
share("none", 0, "0%");
share("next to none", 0.0001, "<0.1%");
share("few", 0.0525, "5.3%");
share("all", 1, "100%");

const count = checks("count", exact);
count("unknown", null, "unknown");
count("with every digit", 1_037_334, "1,037,334");

const brief = checks("brief count", short);
brief("unknown", null, "–");
brief("exact while it is short", 9999, "9,999");
brief("rounded beyond", 1_037_334, "1M");

const size = checks("size", bytes);
size("bytes", 1023, "1023 B");
size("kilobytes", 1536, "1.5 KB");
size("megabytes", 20 * 1024 * 1024, "20 MB");

const many = checks("words", ([n, one]: [number, string]) => plural(n, one));
many("one", [1, "event"], "1 event");
many("none", [0, "event"], "0 events");
many("many", [1980, "event"], "1,980 events");

const base = Date.parse("2026-11-23T12:00:00Z");
const since = checks("ago", (iso: string) => ago(iso, base));
since("clocks that differ", "2026-11-23T12:00:05Z", "now");
since("seconds", "2026-11-23T11:59:48Z", "12 s ago");
since("minutes", "2026-11-23T11:47:59Z", "12 min ago");
since("hours", "2026-11-22T12:00:01Z", "23 h ago");
since("days", "2026-11-20T12:00:00Z", "3 d ago");
since("long ago is a date", "2026-01-02T00:00:00Z", "2026-01-02");
since("no time", "soon", "unknown");

const at = checks(
  "moment",
  (iso: string) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.123 UTC/.test(moment(iso)),
);
at("to the millisecond, with its zone", "2026-11-23T12:00:00.123456Z", true);
