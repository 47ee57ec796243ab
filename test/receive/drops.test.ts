import { parseDrops } from "../../src/receive/drops.ts";
import { checks } from "../check.ts";

const check = checks("drops", (header: string | undefined) => [...parseDrops(header)]);

check("none", undefined, []);
check("empty", "", []);
check("one", "queue_full=12", [["queue_full", 12]]);
check("several, one twice", "queue_full=1, too_large=2,queue_full=3", [["queue_full", 4], [
  "too_large",
  2,
]]);
check("what is no pair", "a, =1, b=-1, c=1.5, D=1, e=1", [["e", 1]]);
check("no more than a few", Array.from({ length: 99 }, (_, at) => `r${at}=1`).join(), [
  ...Array.from({ length: 16 }, (_, at) => [`r${at}`, 1] as [string, number]),
]);
