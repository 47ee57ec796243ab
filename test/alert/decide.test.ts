// What is pending, fires and ends, value by value; and who is told when.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decide, endAll, endByHand } from "../../src/alert/decide.ts";
import { ruleBounds } from "../../src/alert/rule.ts";
import { newState } from "../../src/alert/state.ts";
import { tell } from "../../src/alert/tell.ts";
import { minuteMs, play, rule, startMs, timeline } from "./fixture.ts";

const _ = null;

describe("values, phases, and what is told", () => {
  const cases: [
    question: string,
    fields: Record<string, unknown>,
    values: (number | null)[],
    phases: string,
    told: string,
  ][] = [
    ["fires at once", {}, [5, 11, 12, 9], ".CC.", "firing@1 resolved@3"],
    ["the threshold itself is not beyond it", {}, [10], ".", ""],
    ["but it is at least it", { operator: ">=" }, [10], "C", "firing@0"],
    ["falls below", { operator: "<", critical: 3 }, [4, 2, 4], ".C.", "firing@1 resolved@2"],
    ["waits for `for`", { for_minutes: 2 }, [11, 11, 11, 9], "ppC.", "firing@2 resolved@3"],
    ["begins to wait anew", { for_minutes: 2 }, [11, 11, 9, 11, 11, 11], "pp.ppC", "firing@5"],
    [
      "a warning becomes critical",
      { warning: 5 },
      [6, 11, 6, 4],
      "wCC.",
      "firing@0 escalated@1 resolved@3",
    ],
    [
      "each level waits for itself",
      { warning: 5, for_minutes: 2 },
      [6, 6, 11, 11, 11, 4],
      "ppwwC.",
      "firing@2 escalated@4 resolved@5",
    ],
    [
      "critical that dips to warning is a warning",
      { warning: 5, for_minutes: 2 },
      [11, 6, 11],
      "ppw",
      "firing@2",
    ],
    [
      "hysteresis: it goes on until it is back at `recovery`",
      { recovery: 8 },
      [11, 9, 11, 9, 8],
      "CCCC.",
      "firing@0 resolved@4",
    ],
    [
      "without it, to and fro is told each time",
      {},
      [11, 9, 11, 9],
      "C.C.",
      "firing@0 resolved@1 firing@2 resolved@3",
    ],
    [
      "goes on firing for `keep_firing_minutes`",
      { keep_firing_minutes: 2 },
      [11, 9, 11, 9, 9, 9],
      "CCCCC.",
      "firing@0 resolved@5",
    ],
    ["no data is no value below the threshold", {}, [11, _, _, 11], "CCCC", "firing@0"],
    ["nor one above it", { operator: "<", critical: 3 }, [5, _, _], "...", ""],
    ["no data keeps what is pending", { for_minutes: 2 }, [11, _, 11], "ppC", "firing@2"],
    ["no data resolves", { no_data: "resolve" }, [11, _], "C.", "firing@0 resolved@1"],
    ["no data fires", { no_data: "alert" }, [5, _, 5], ".C.", "firing@1 resolved@2"],
    [
      "no data fires after `for`",
      { no_data: "alert", for_minutes: 1 },
      [5, _, _, 5],
      ".pC.",
      "firing@2 resolved@3",
    ],
    [
      "is told again",
      { repeat_minutes: 2 },
      [11, 11, 11, 11, 11],
      "CCCCC",
      "firing@0 reminder@2 reminder@4",
    ],
    ["is never told again", { repeat_minutes: 0 }, [11, 11, 11], "CCC", "firing@0"],
    ["its end is not told", { notify_resolved: false }, [11, 9], "C.", "firing@0"],
    ["too few events say nothing", { min_requests: 101 }, [11, 11], "..", ""],
    [
      "snoozed: told when the snooze is over",
      { snoozed_until: new Date(startMs + 2 * minuteMs).toISOString() },
      [11, 11, 11, 9],
      "CCC.",
      "firing@2 resolved@3",
    ],
    [
      "snoozed over all of it: not told at all",
      { snoozed_until: new Date(startMs + 9 * minuteMs).toISOString() },
      [11, 11, 9],
      "CC.",
      "",
    ],
    [
      "begun before a mute, ended in it: the end is told after it",
      { mute: [{ from: "12:01", until: "12:03" }] },
      [11, 9, 9, 9],
      "C...",
      "firing@0 resolved@3",
    ],
  ];
  test.each(cases)("%s", (_question, fields, values, phases, told) => {
    const played = play(rule(fields), values);
    expect([played.phases, timeline(played.notices)]).toEqual([phases, told]);
  });
});

test("what has no data for an hour, or four windows, is let go", () => {
  const values = [11, ...Array<null>(62).fill(null)];
  expect(timeline(play(rule(), values).notices)).toBe("firing@0 resolved@61");
  const wide = rule({ window_minutes: 30 });
  expect(timeline(play(wide, [11, ...Array<null>(122).fill(null)]).notices))
    .toBe("firing@0 resolved@121");
});

test("resolved by hand, it fires again only after it was well", () => {
  const state = newState();
  play(rule(), [11], state);
  const id = state.series[""]!.alert!.id;
  expect(endByHand(state, "other", startMs)).toBeNull();
  expect(endByHand(state, id, startMs + 1)).toMatchObject({ resolved_reason: "resolved_by_hand" });
  expect(play(rule(), [12, 9, 12], state, startMs + minuteMs).phases).toBe("x.C");
});

describe("groups", () => {
  const byUser = rule({ metric: "cost_usd", group_by: "user_id", critical: 10 });
  const points = (costs: Record<string, number>) =>
    Object.entries(costs).map(([user_id, value]) => ({ labels: { user_id }, value, requests: 1 }));

  test("each fires for itself; those of one look are told together", () => {
    const state = newState();
    const looks: Record<string, number>[] = [{ ann: 11, bob: 12, cid: 1 }, { ann: 11, bob: 2 }, {
      ann: 3,
    }];
    const told = looks.flatMap((costs, step) => {
      const at = startMs + step * minuteMs;
      decide("rule", byUser, state, { at, points: points(costs) });
      return tell(byUser, state, at).map(({ kind, alerts }) =>
        `${kind} ${alerts.map(({ labels }) => labels.user_id).join("+")}`
      );
    });
    expect(told).toEqual(["firing ann+bob", "resolved bob", "resolved ann"]);
    expect(state.series).toEqual({});
  });

  test("further ones wait for the group's interval", () => {
    const given = rule({ ...byUser, group_interval_minutes: 5 });
    const state = newState();
    const looks: Record<string, number>[] = [
      { ann: 11 },
      { ann: 11, bob: 11 },
      {},
      {},
      {},
      { ann: 11, bob: 11 },
    ];
    const told = looks
      .flatMap((costs, step) => {
        const at = startMs + step * minuteMs;
        decide("rule", given, state, { at, points: points(costs) });
        return tell(given, state, at).map(({ kind, alerts }) => `${kind}@${step} ${alerts.length}`);
      });
    expect(told).toEqual(["firing@0 1", "firing@5 1"]);
  });

  test("a group that falls silent is missed by a rule that looks for too few", () => {
    const given = rule({ metric: "requests", group_by: "model", operator: "<", critical: 1 });
    const state = newState();
    const look = (at: number, models: string[]) =>
      decide("rule", given, state, {
        at,
        points: models.map((model) => ({ labels: { model }, value: 5, requests: 5 })),
      });
    look(startMs, ["a", "b"]);
    expect(look(startMs + minuteMs, ["b"]).map(({ labels }) => labels.model)).toEqual(["a"]);
  });

  test("no more series are followed than there may be", () => {
    const state = newState();
    const many = Array.from({ length: 3000 }, (_, at) => ({
      labels: { user_id: `u${at}` },
      value: 11,
      requests: 1,
    }));
    decide("rule", byUser, state, { at: startMs, points: many, truncated: true });
    expect(Object.keys(state.series)).toHaveLength(ruleBounds.seriesMax);
    // Those that there was no room for in the next look are kept as they are.
    decide("rule", byUser, state, { at: startMs + 1, points: many.slice(5), truncated: true });
    expect(state.series['[["user_id","u0"]]']).toMatchObject({ phase: "firing" });
  });
});

test("ends of all are told when a rule goes", () => {
  const state = newState();
  play(rule(), [11], state);
  expect(endAll(state, startMs + 1, "rule_deleted")).toHaveLength(1);
  expect(timeline(tell(rule(), state, startMs + minuteMs))).toBe("resolved@1");
  expect(state.series).toEqual({});
});

test("whatever the values: told of an end exactly as often as of a beginning, or once less", () => {
  const fields = fc.record({
    warning: fc.constantFrom(undefined, 5),
    recovery: fc.constantFrom(undefined, 3),
    for_minutes: fc.constantFrom(0, 2),
    keep_firing_minutes: fc.constantFrom(0, 2),
    no_data: fc.constantFrom("keep", "resolve", "alert"),
    mute: fc.constantFrom([], [{ from: "12:10", until: "12:20" }]),
  });
  const values = fc.array(fc.option(fc.integer({ min: 0, max: 15 }), { nil: null }), {
    maxLength: 60,
  });
  fc.assert(fc.property(fields, values, (given, series) => {
    const { notices, state } = play(rule(given), series);
    const count = (kind: string) => notices.filter((notice) => notice.kind === kind).length;
    const isTold = (state.series[""]?.alert ?? state.ended[0])?.told ?? null;
    expect(count("firing") - count("resolved")).toBe(isTold === null ? 0 : 1);
    // A copy from disk decides alike.
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  }));
});
