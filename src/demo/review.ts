// Demo: an agent reviews a pull request, file by file, and runs the tests.
import { models, type Run } from "./run.ts";

interface Change {
  title: string;
  files: readonly { path: string; diff: string; remark: string }[];
  tests: { passed: number; failed: number; failure?: string };
  verdict: string;
}

const changes: readonly Change[] = [
  {
    title: "Retry webhooks with backoff",
    files: [
      {
        path: "src/webhook/deliver.ts",
        diff:
          "+  for (let i = 0; i < 5; i++) {\n+    const ok = await post(url, body);\n+    if (ok) return;\n" +
          "+    await sleep(2 ** i * 1000);\n+  }",
        remark:
          "The delays have no jitter: after an outage all hooks retry in the same second. Add " +
          "random jitter, and give up with a logged reason after the last attempt.",
      },
      {
        path: "test/webhook/deliver.test.ts",
        diff:
          "+test('retries', async () => {\n+  await deliver(failing(2));\n+  expect(calls).toBe(3);\n+});",
        remark: "Good case. Also test that a 4xx answer is not retried.",
      },
    ],
    tests: { passed: 214, failed: 0 },
    verdict: "Approve after jitter is added to the retry delays.",
  },
  {
    title: "Cache exchange rates",
    files: [
      {
        path: "src/money/rates.py",
        diff: "+@lru_cache\n+def rate(frm, to):\n+    return fetch_rate(frm, to)",
        remark:
          "lru_cache never expires, so rates stay as they were at start. Use a cache with a time " +
          "to live and include the date in the key.",
      },
    ],
    tests: { passed: 88, failed: 1, failure: "test_rate_changes_daily: 1.08 != 1.11" },
    verdict: "Request changes: cached rates never expire, and a test shows it.",
  },
  {
    title: "Search orders by e-mail",
    files: [
      {
        path: "src/orders/search.ts",
        diff:
          "+  const rows = await db.query(\n+    `select * from orders where email = '${email}'`\n+  );",
        remark:
          "This builds SQL from user input and can be injected. Pass the address as a parameter.",
      },
      {
        path: "src/orders/route.ts",
        diff:
          "+app.get('/orders', async (c) => {\n+  return c.json(await search(c.req.query('email')));\n+});",
        remark: "The route has no access check: any signed-in user can read everybody's orders.",
      },
      {
        path: "migrations/0042_email_index.sql",
        diff: "+create index orders_email on orders (email);",
        remark: "Create the index concurrently; the table has 40 million rows.",
      },
    ],
    tests: { passed: 301, failed: 0 },
    verdict: "Request changes: SQL injection in search.ts, and a route without access check.",
  },
  {
    title: "Upgrade the date library",
    files: [
      {
        path: "package.json",
        diff: '-    "date-fns": "2.30.0"\n+    "date-fns": "4.1.0"',
        remark:
          "Version 3 changed the order of arguments in intervalToDuration; two callers are affected.",
      },
    ],
    tests: { passed: 297, failed: 4, failure: "formats a duration across a leap day" },
    verdict: "Request changes: four tests fail after the upgrade.",
  },
  {
    title: "Show totals with two decimals",
    files: [
      {
        path: "web/cart/total.tsx",
        diff: "-  <b>{total} EUR</b>\n+  <b>{total.toFixed(2)} EUR</b>",
        remark: "Fine. Consider Intl.NumberFormat, so that other locales get a comma.",
      },
    ],
    tests: { passed: 302, failed: 0 },
    verdict: "Approve.",
  },
];

const system =
  "You review code. Point out defects first, with the line. No praise without a reason.";

export function review(run: Run): void {
  const { random } = run;
  const change = random.pick(changes);
  const number = random.integer(1200, 1420);
  run.begin("review_pull_request", { pull_request: number, title: change.title });
  run.tool({
    tool_name: "fetch_pull_request",
    input: { number },
    output: { title: change.title, files: change.files.map(({ path }) => path) },
    ms: 320,
  });
  for (const { path, diff, remark } of change.files) {
    run.tool({ tool_name: "read_file", input: { path }, output: diff, ms: 12 });
    const call = {
      name: "review_file",
      system,
      user: `${path}\n\n${diff}`,
      response: remark,
      template: "review/file",
      contextTokens: random.integer(1500, 9000),
    };
    const model = random.chance(0.75) ? models.strong : models.large;
    if (!run.prompt({ ...call, model })) {
      run.prompt({ ...call, model: models.strong, attributes: { fallback: true } });
    }
  }
  const { failed, failure } = change.tests;
  run.tool({
    tool_name: "run_tests",
    input: { command: "npm test" },
    ms: 21_000,
    output: change.tests,
    ...failed === 0 ? {} : {
      error: { type: "TestFailure", message: `${failed} failed: ${failure}`, code: "1" },
    },
  });
  run.prompt({
    name: "summarise_review",
    model: models.strong,
    system: "Sum up the review in one sentence: approve or request changes, and why.",
    user: change.files.map(({ remark }) => `- ${remark}`).join("\n"),
    response: change.verdict,
    template: "review/summary",
  });
  run.finish({ verdict: change.verdict });
}
