// Demo: questions of employees, answered from the handbook.
import { models, type Run } from "./run.ts";

interface Question {
  question: string;
  passages: readonly { source: string; text: string; score: number }[];
  answer: string;
  /** The answer says more than the passages do. */
  invented?: string;
}

const questions: readonly Question[] = [
  {
    question: "How many days may I work from abroad?",
    passages: [
      {
        source: "handbook/remote.md",
        text: "Employees may work from another EU country for up to 30 days a year.",
        score: 0.91,
      },
      {
        source: "handbook/tax.md",
        text: "Longer stays need approval by People and a social security form (A1).",
        score: 0.78,
      },
    ],
    answer:
      "Up to 30 days a year within the EU. Longer stays need approval by People and an A1 form.",
  },
  {
    question: "Who approves travel above 2,000 euros?",
    passages: [{
      source: "handbook/travel.md",
      text: "Trips above EUR 2,000 are approved by the department head before booking.",
      score: 0.94,
    }],
    answer: "Your department head, before you book.",
  },
  {
    question: "What is the parental leave for the second parent?",
    passages: [{
      source: "handbook/leave.md",
      text: "Parental leave follows the law of the country of employment.",
      score: 0.66,
    }],
    answer: "The second parent gets eight weeks at full pay.",
    invented: "eight weeks at full pay",
  },
  {
    question: "How do I rotate the staging database password?",
    passages: [
      {
        source: "runbooks/postgres.md",
        text: "Run `vault write -f database/rotate-root/staging`, then restart the API pods.",
        score: 0.89,
      },
      {
        source: "runbooks/on-call.md",
        text: "Announce credential changes in #ops-announce.",
        score: 0.71,
      },
    ],
    answer:
      "Run `vault write -f database/rotate-root/staging`, restart the API pods, and announce it " +
      "in #ops-announce.",
  },
  {
    question: "When is the office in Porto open?",
    passages: [{
      source: "offices/porto.md",
      text: "The Porto office is open on weekdays from 8:00 to 20:00. Badge access at other times.",
      score: 0.92,
    }],
    answer: "On weekdays from 8:00 to 20:00; with your badge at any other time.",
  },
  {
    question: "Do we support single sign-on with Okta?",
    passages: [{
      source: "product/sso.md",
      text: "SAML and OIDC are supported on the Business plan. Tested with Entra ID and Okta.",
      score: 0.87,
    }],
    answer: "Yes, by SAML or OIDC on the Business plan; Okta is one of the tested providers.",
  },
  {
    question: "What is our uptime promise, and what do customers get if we miss it?",
    passages: [{
      source: "legal/sla.md",
      text: "99.9 % a month. Credits: 10 % below 99.9 %, 25 % below 99.0 %.",
      score: 0.9,
    }],
    answer: "99.9 % a month. Below that customers get a credit of 10 %, below 99.0 % of 25 %.",
  },
  {
    question: "Can contractors get a company laptop?",
    passages: [],
    answer: "I found nothing about laptops for contractors in the handbook. Please ask IT.",
  },
];

const system =
  "Answer from the passages only, and name the source. Say so when they hold no answer.";

export function retrieval(run: Run): void {
  const { random } = run;
  const item = random.pick(questions);
  run.begin("answer_question", { question: item.question });
  run.add({
    event_type: "span",
    name: "embed_query",
    status: "success",
    latency_ms: Math.round(random.skewed(38, 0.3)),
    model: "text-embedding-3-small",
    provider: "openai",
    tokens_input: Math.ceil(item.question.length / 4),
    cost_reported_usd: Math.round(item.question.length / 4 * 20) / 1e9,
  });
  run.wait(40);
  if (random.chance(0.04)) {
    const error = { type: "TimeoutError", message: "vector-index: no answer within 5000 ms" };
    run.tool({ tool_name: "search_documents", input: { query: item.question }, ms: 5000, error });
    run.add({
      event_type: "error",
      name: "search_documents",
      status: "error",
      error,
      stack_trace: "TimeoutError: vector-index: no answer within 5000 ms\n" +
        "    at search (src/retrieval/index.ts:41:11)\n    at answer (src/retrieval/answer.ts:18:23)",
      context: { shard: random.integer(0, 3) },
    });
    run.finish(null, error);
    return;
  }
  run.tool({
    tool_name: "search_documents",
    input: { query: item.question, limit: 5 },
    output: item.passages,
    ms: 85,
  });
  const passages = item.passages.map(({ source, text }) => `[${source}] ${text}`).join("\n");
  const call = {
    name: "answer_from_passages",
    system,
    user: `${passages}\n\nQuestion: ${item.question}`,
    response: item.answer,
    template: "handbook/answer",
    contextTokens: random.integer(200, 1800),
  };
  const model = random.weighted([[5, models.own], [3, models.quick], [2, models.large]]);
  if (!run.prompt({ ...call, model })) {
    run.prompt({ ...call, model: models.quick, attributes: { fallback: true } });
  }
  if (item.invented !== undefined) {
    run.add({
      event_type: "hallucination_detected",
      name: "grounding_check",
      status: "warning",
      detection_method: "ground_truth_verification",
      confidence_score: Math.round(random.between(0.8, 0.98) * 100) / 100,
      flagged_content: item.invented,
      ground_truth: item.passages.map(({ text }) => text).join(" "),
      recommendations: ["Answer only what the passages say."],
    });
  }
  run.finish({ answer: item.answer });
}
