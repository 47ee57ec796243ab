// The filter bar's language: what is typed, what the server is asked, what the console is given.
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Filter,
  filterKeys,
  filterQuery,
  filterSql,
  parseFilter,
  passes,
  toggled,
  writeFilter,
} from "../../web/parts/filter.ts";
import { checks } from "../check.ts";

const filter = (values: Filter["values"], text = ""): Filter => ({ values, text, problem: null });

const parsed = checks("typed", parseFilter);

parsed("nothing", "", filter({}));
parsed("a field", "status:error", filter({ status: ["error"] }));
parsed("several values of a field", "model:a,b", filter({ model: ["a", "b"] }));
parsed("a field twice is any of both", "model:a model:b", filter({ model: ["a", "b"] }));
parsed("a value twice counts once", "model:a,a", filter({ model: ["a"] }));
parsed("a short name of a field", "user:u-1 type:error", {
  values: { user_id: ["u-1"], event_type: ["error"] },
  text: "",
  problem: null,
});
parsed("a field in capitals", "Status:error", filter({ status: ["error"] }));
parsed("words", "card  declined", filter({}, "card declined"));
parsed("words around a field", "card status:error declined", {
  values: { status: ["error"] },
  text: "card declined",
  problem: null,
});
parsed("a value with a space", 'name:"write answer"', filter({ name: ["write answer"] }));
parsed("a quotation mark in quotes", 'name:"a ""b"" c"', filter({ name: ['a "b" c'] }));
parsed("a value with a colon", "model:llama3:8b", filter({ model: ["llama3:8b"] }));
parsed("an address is text", "https://example.com/a", filter({}, "https://example.com/a"));
parsed("a field's name in quotes is text", '"status:error"', filter({}, "status:error"));

const problemOf = checks("not understood", (typed: string) => parseFilter(typed).problem);

problemOf(
  "a field that there is not",
  "colour:red",
  "“colour” is not a field to filter by. To find the text, write it in quotes.",
);
problemOf(
  "a field without a value",
  "status:",
  "What should status be? Write status:value.",
);
problemOf(
  "names of what every object has",
  "constructor:x",
  expect.stringContaining("not a field"),
);

const query = checks("asked", (typed: string) => filterQuery(parseFilter(typed)));

query("nothing", "", {});
query("a field and words", "status:error oat milk", { status: ["error"], q: "oat milk" });
query("several values", "model:a,b", { model: ["a", "b"] });
// The server splits a lone value at its commas, so it is sent twice to be taken as it is.
query("a value with a comma", 'tag:"a,b"', { tag: ["a,b", "a,b"] });

const toggle = checks(
  "toggled",
  ([typed, key, value]: Parameters<typeof toggled>) => toggled(typed, key, value),
);

toggle("onto nothing", ["", "status", "error"], "status:error");
toggle("beside another value", ["model:a", "model", "b"], "model:a,b");
toggle("away", ["model:a,b", "model", "a"], "model:b");
toggle("the last one away", ["oat model:a", "model", "a"], "oat");

const live = checks(
  "a live event",
  ([typed, event]: [string, object]) => passes(parseFilter(typed), event),
);

live("belongs", ["status:error", { status: "error" }], true);
live("does not", ["status:error", { status: "success" }], false);
live("by one of its tags", ["tag:b", { tags: ["a", "b"] }], true);
live("lacks the field", ["model:a", { status: "error" }], false);

const sql = checks("as SQL", (typed: string) =>
  /^WHERE[^]*?(?=\nORDER)/m.exec(
    filterSql(parseFilter(typed), null, null),
  )?.[0] ?? null);

sql("nothing", "", null);
sql("a field", "status:error", "WHERE status = 'error'");
sql("several values", "model:a,b", "WHERE model IN ('a', 'b')");
sql("a tag", "tag:a", "WHERE list_has_any(tags, ['a'])");
sql("a quote ends nothing", "user:o'neil", "WHERE user_id = 'o''neil'");

const times = checks(
  "time as SQL",
  ([since, until]: [string | null, string | null]) =>
    /^WHERE[^]*?(?=\nORDER)/m.exec(filterSql(filter({}), since, until))?.[0] ?? null,
);

times("relative", ["-15m", null], "WHERE timestamp >= now() - INTERVAL 15 MINUTE");
times(
  "absolute",
  [null, "2026-01-02T03:04:05Z"],
  "WHERE timestamp < TIMESTAMPTZ '2026-01-02T03:04:05Z'",
);
times(
  "hostile",
  ["'; DROP TABLE events", null],
  "WHERE timestamp >= TIMESTAMPTZ '''; DROP TABLE events'",
);

const character = fc.oneof(fc.string({ maxLength: 1, unit: "grapheme" }), fc.constant('"'));
const value = fc.array(character, { minLength: 1, maxLength: 20 })
  .map((characters) => characters.join("").trim()).filter((text) => text !== "");

test("what is written is read again, whatever the values", () => {
  const values = fc.dictionary(
    fc.constantFrom(...filterKeys),
    fc.uniqueArray(value, { minLength: 1, maxLength: 3 }),
    { noNullPrototype: true },
  );
  fc.assert(fc.property(values, (given) => {
    const back = parseFilter(writeFilter({ values: given, text: "" }));
    expect(back).toEqual({ values: given, text: "", problem: null });
  }));
});

test("nothing that is typed throws", () => {
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (typed) => {
    const read = parseFilter(typed);
    filterQuery(read);
    filterSql(read, typed, typed);
  }));
});
