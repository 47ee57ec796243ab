// Demo: an agent answers questions about the business by writing SQL, and mends it when it fails.
import { models, type Run } from "./run.ts";

interface Question {
  question: string;
  sql: string;
  /** A first try that the database refuses. */
  wrong?: { sql: string; error: string; code: string };
  rows: readonly Record<string, unknown>[];
  answer: string;
}

const questions: readonly Question[] = [
  {
    question: "Which five countries brought the most revenue last month?",
    wrong: {
      sql: "SELECT country, sum(total) FROM orders GROUP BY country ORDER BY 2 DESC LIMIT 5",
      error: 'column "country" does not exist',
      code: "42703",
    },
    sql:
      "SELECT a.country, sum(o.total) AS revenue FROM orders o JOIN addresses a ON a.id = o.address_id " +
      "WHERE o.created_at >= date_trunc('month', now()) - interval '1 month' GROUP BY 1 ORDER BY 2 DESC LIMIT 5",
    rows: [
      { country: "DE", revenue: 412_880 },
      { country: "NL", revenue: 231_040 },
      { country: "FR", revenue: 198_310 },
      { country: "SE", revenue: 120_455 },
      { country: "PT", revenue: 88_120 },
    ],
    answer:
      "Germany (412,880 EUR), the Netherlands (231,040), France (198,310), Sweden (120,455) and " +
      "Portugal (88,120).",
  },
  {
    question: "How many customers ordered again within 90 days?",
    sql: "SELECT count(*) FROM (SELECT customer_id FROM orders GROUP BY 1 " +
      "HAVING max(created_at) - min(created_at) BETWEEN interval '1 day' AND interval '90 days') t",
    rows: [{ count: 8412 }],
    answer: "8,412 customers ordered a second time within 90 days of their first order.",
  },
  {
    question: "What share of returns is because of size?",
    wrong: {
      sql: "SELECT avg(reason = 'size') FROM returns",
      error: "function avg(boolean) does not exist",
      code: "42883",
    },
    sql: "SELECT round(avg((reason = 'size')::int), 3) AS share FROM returns",
    rows: [{ share: 0.431 }],
    answer: "43.1 % of returns give size as their reason.",
  },
  {
    question: "Average basket on weekends against weekdays?",
    sql: "SELECT extract(isodow FROM created_at) > 5 AS weekend, round(avg(total), 2) AS basket " +
      "FROM orders GROUP BY 1",
    rows: [{ weekend: false, basket: 54.2 }, { weekend: true, basket: 61.75 }],
    answer: "61.75 EUR on weekends, 54.20 EUR on weekdays.",
  },
  {
    question: "Which products were never sold this year?",
    sql: "SELECT p.sku, p.name FROM products p WHERE NOT EXISTS (SELECT 1 FROM order_items i " +
      "JOIN orders o ON o.id = i.order_id WHERE i.sku = p.sku AND o.created_at >= date_trunc('year', now()))",
    rows: [{ sku: "TENT-08", name: "Eight-person tent" }, { sku: "SKI-WAX", name: "Ski wax" }],
    answer: "Two: the eight-person tent (TENT-08) and the ski wax (SKI-WAX).",
  },
];

const system =
  "You write PostgreSQL. Answer with one SELECT statement and nothing else. Tables: orders, " +
  "order_items, customers, addresses, products, returns.";

export function analyst(run: Run): void {
  const { random } = run;
  const item = random.pick(questions);
  run.begin("answer_with_sql", { question: item.question });
  const write = (sql: string, user: string, attempt: number) =>
    run.prompt({
      name: "write_sql",
      model: models.strong,
      system,
      user,
      response: sql,
      template: "analyst/write",
      contextTokens: random.integer(900, 1600),
      tool_calls: [{ name: "run_sql", arguments: { sql } }],
      attributes: { attempt },
    });
  let attempt = 1;
  if (item.wrong !== undefined && random.chance(0.7)) {
    write(item.wrong.sql, item.question, attempt++);
    const error = { type: "SqlError", message: item.wrong.error, code: item.wrong.code };
    run.tool({ tool_name: "run_sql", input: { sql: item.wrong.sql }, ms: 20, error });
    write(item.sql, `${item.question}\n\nThe last try failed: ${item.wrong.error}`, attempt);
  } else {
    write(item.sql, item.question, attempt);
  }
  if (random.chance(0.05)) {
    const error = { type: "SqlError", message: "canceling statement due to statement timeout" };
    run.tool({
      tool_name: "run_sql",
      input: { sql: item.sql },
      ms: 15_000,
      error: { ...error, code: "57014" },
    });
    run.finish(null, error);
    return;
  }
  run.tool({ tool_name: "run_sql", input: { sql: item.sql }, output: item.rows, ms: 340 });
  run.add({
    event_type: "agent_step",
    name: "check_result",
    step_name: "check_result",
    step_type: "validation",
    step_number: attempt + 1,
    status: "success",
    latency_ms: 1,
    input_data: { rows: item.rows.length },
    output_data: { plausible: true },
    reasoning: "The result has rows, and its columns answer the question.",
  });
  run.prompt({
    name: "explain_result",
    model: models.small,
    system: "Explain the result in one sentence, with its unit.",
    user: `${item.question}\n${JSON.stringify(item.rows)}`,
    response: item.answer,
    template: "analyst/explain",
  });
  run.finish({ answer: item.answer });
}
