// The sum that a test run ends with.
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countOf } from "../../scripts/test.ts";

const cases: [question: string, xml: string, passed: number, failed: number][] = [
  ["nothing", "<testsuites></testsuites>", 0, 0],
  ["one passed", '<testcase name="a" time="0" />', 1, 0],
  ["one failed", '<testcase name="a"><failure message="x>y"/></testcase>', 0, 1],
  ["an error before the test", '<testcase name="a"><error>text</error></testcase>', 0, 1],
  ["skipped is neither", '<testcase name="a"><skipped /></testcase><testcase name="b"/>', 1, 0],
  ["words in a name do not count", '<testcase name="no &lt;failure&gt;"/>', 1, 0],
  [
    "output between tags",
    '<testcase name="a"><system-out>fine</system-out></testcase>\n<testcase name="b"></testcase>',
    2,
    0,
  ],
];
test.each(cases)("%s", (_question, xml, passed, failed) => {
  expect(countOf(xml)).toEqual({ passed, failed });
});

test("what Bun reports is counted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "watchllm-count-"));
  try {
    writeFileSync(
      join(folder, "sample.test.ts"),
      'import { expect, test } from "bun:test";\n' +
        'test("passes <a>", () => {});\n' +
        'test("fails", () => expect("<failure>").toBe("</testcase>"));\n' +
        'test("throws", () => { throw new Error("no"); });\n' +
        'test.skip("left out", () => {});\n' +
        'test.todo("to do");\n',
    );
    const report = join(folder, "report.xml");
    const child = Bun.spawn(
      [process.execPath, "test", "--reporter=junit", `--reporter-outfile=${report}`],
      { cwd: folder, stdout: "ignore", stderr: "ignore" },
    );
    expect(await child.exited).toBe(1);
    expect(countOf(readFileSync(report, "utf8"))).toEqual({ passed: 1, failed: 2 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
