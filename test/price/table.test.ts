// The table in the repository is what its script makes of the pinned sources.
import { expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { cachedPriceMap, makeTable, tablePath, tableText } from "../../scripts/prices.ts";
import { embeddedTable, type Table, units } from "../../src/price/table.ts";

const bytesMax = 500 * 1024;

test("the table is small", () => {
  expect(statSync(tablePath).size).toBeLessThan(bytesMax);
});

test("the notices of both sources stand beside it", () => {
  const notices = readFileSync(join(dirname(tablePath), "NOTICES.md"), "utf8");
  const { base, completion } = embeddedTable().sources;
  for (const words of [base, completion, "Pydantic Services", "BerriAI", "MIT"]) {
    expect(notices).toContain(words);
  }
});

test("its first source gives the same providers and prices again", async () => {
  const { table } = await makeTable(null);
  expect(baseOf(embeddedTable())).toEqual(baseOf(table));
});

test.skipIf(cachedPriceMap() === null)("both sources give the same file again", async () => {
  const { table } = await makeTable(cachedPriceMap());
  expect(tableText(table) === readFileSync(tablePath, "utf8")).toBe(true);
});

/** Without what the second source adds. */
function baseOf({ providers }: Table) {
  return providers.filter(({ models }) => models.length > 0).map(({ more: _, ...provider }) => ({
    ...provider,
    models: provider.models.map((model) => ({
      ...model,
      periods: model.periods.map(({ added: _added, tiers: _tiers, ...period }) => period),
    })),
  }));
}

test("every ladder ascends from 0, and every price is one", () => {
  const wrong: unknown[] = [];
  for (const { id, models, more = {} } of embeddedTable().providers) {
    const periods = [...models.flatMap(({ periods }) => periods), ...Object.values(more)];
    for (const period of periods) {
      const { prices, added, tiers = {} } = period as (typeof periods)[number] & {
        added?: typeof prices;
      };
      for (const ladder of [prices, ...added ? [added] : [], ...Object.values(tiers)]) {
        const bounds = ladder.map((step) => step[0]!);
        const ascends = bounds.every((bound, at) => bound! > (bounds[at - 1] ?? -1)!);
        const isWhole = ladder.every((step) =>
          step.length >= 1 && step.length <= units.length + 1 &&
          step.every((price) => price === null || (Number.isFinite(price) && price >= 0))
        );
        if (!ascends || !isWhole || (ladder === prices && bounds[0] !== 0)) {
          wrong.push([id, ladder]);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});
