// Demo: a shop's assistant answers a customer, with the order at hand.
import { models, type Run } from "./run.ts";

interface Ticket {
  intent: string;
  question: string;
  order: Record<string, unknown> | null;
  answer: string;
  /** What a careless answer would be marked with. */
  flaw?: string;
}

const tickets: readonly Ticket[] = [
  {
    intent: "delivery",
    question: "Hi, my parcel was due on Monday and tracking has not moved since. Order 48213.",
    order: { order_id: 48213, status: "in_transit", carrier: "DPD", last_scan: "Leipzig hub" },
    answer:
      "I am sorry about the wait. Your order 48213 was last scanned at the Leipzig hub and the " +
      "carrier reports a backlog there. It should reach you within two working days; if it has " +
      "not by then, I will send a replacement at no cost.",
  },
  {
    intent: "refund",
    question: "I sent the headphones back ten days ago. When do I get my money?",
    order: { order_id: 47720, status: "returned", refund: "approved", amount_eur: 89.9 },
    answer: "Your return for order 47720 arrived and the refund of 89.90 EUR was approved. Banks " +
      "usually take three to five working days to show it.",
  },
  {
    intent: "refund",
    question: "Can I return a pair of shoes after 40 days? They were never worn.",
    order: null,
    answer:
      "Our return period is 30 days, so I cannot open a regular return. As the shoes are unworn " +
      "I can offer a voucher for their full price instead. Would that help?",
    flaw: "Promises a voucher that the policy does not mention.",
  },
  {
    intent: "account",
    question: "I no longer have access to my old e-mail address. How do I change it?",
    order: null,
    answer:
      "You can change the address under Account > Sign-in. Because you cannot confirm by the " +
      "old address, we will ask for your last order number and postcode instead.",
  },
  {
    intent: "product",
    question: "Does the Trail 40 backpack fit a 16 inch laptop, and is it waterproof?",
    order: null,
    answer: "Yes: the sleeve takes laptops up to 16 inches. The fabric repels rain but is not " +
      "waterproof under water; a rain cover is included.",
  },
  {
    intent: "delivery",
    question: "The courier left my package with a neighbour I do not know. Which house number?",
    order: { order_id: 48377, status: "delivered", note: "Left with neighbour, no. 14" },
    answer:
      "The courier noted that the parcel for order 48377 was left at number 14 in your street.",
  },
  {
    intent: "complaint",
    question:
      "Third time the wrong colour arrives. I am really annoyed and want this sorted today.",
    order: { order_id: 48102, status: "delivered", items: [{ sku: "MUG-BLU", sent: "MUG-GRN" }] },
    answer:
      "You are right to be annoyed, and I apologise. I have ordered the blue mug by express, had " +
      "the item checked by hand, and refunded the shipping. You may keep the green one.",
  },
  {
    intent: "billing",
    question: "I was charged twice for the same order, 24.50 each.",
    order: { order_id: 48290, status: "paid", charges: [24.5, 24.5], captured: 1 },
    answer:
      "I see two authorisations but only one capture for order 48290. The second one is a hold " +
      "that your bank releases by itself within seven days; you pay 24.50 EUR once.",
  },
  {
    intent: "product",
    question: "Is the oat drink gluten free?",
    order: null,
    answer:
      "Our oat drink is made from certified gluten-free oats and tested per batch below 20 ppm.",
    flaw: "Certification is not in the product data.",
  },
  {
    intent: "order",
    question: "Please add a gift note to order 48412: 'Happy birthday, Noor!'",
    order: { order_id: 48412, status: "processing" },
    answer: "Done. Order 48412 will be packed with your note: 'Happy birthday, Noor!'",
  },
];

const system =
  "You are the support assistant of Fjord & Fell, an outdoor shop. Be brief and kind. " +
  "Use the order data. Never promise what the policy does not allow.";

export function support(run: Run): void {
  const { random } = run;
  const ticket = random.pick(tickets);
  run.begin("answer_ticket", { ticket: ticket.question, channel: random.pick(["chat", "e-mail"]) });
  run.prompt({
    name: "classify_intent",
    model: models.quick,
    system: "Name the intent: delivery, refund, billing, account, product, order or complaint.",
    user: ticket.question,
    response: ticket.intent,
    template: "support/classify",
  });
  if (ticket.order !== null) {
    const order_id = ticket.order.order_id;
    if (random.chance(0.06)) {
      run.tool({
        tool_name: "lookup_order",
        input: { order_id },
        ms: 3000,
        error: { type: "ConnectionError", message: "orders-db: connection reset by peer" },
      });
      run.wait(500);
    }
    run.tool({ tool_name: "lookup_order", input: { order_id }, output: ticket.order, ms: 45 });
  }
  if (!answer(run, ticket)) {
    run.finish(null, {
      type: "OverloadedError",
      message: "No model answered; ticket handed over.",
    });
    return;
  }
  judge(run, ticket);
  run.finish({ answer: ticket.answer, intent: ticket.intent });
}

/** The large model, once more after a pause, then another provider. */
function answer(run: Run, ticket: Ticket): boolean {
  const call = {
    name: "write_answer",
    system,
    user: ticket.question,
    response: ticket.answer,
    template: "support/answer",
    contextTokens: run.random.integer(600, 2400),
  };
  if (run.prompt({ ...call, model: models.large })) return true;
  run.wait(1000);
  if (run.prompt({ ...call, model: models.large, attributes: { retry: 1 } })) return true;
  return run.prompt({ ...call, model: models.small, attributes: { fallback: true } });
}

function judge(run: Run, ticket: Ticket): void {
  const { random } = run;
  if (ticket.flaw !== undefined && random.chance(0.5)) {
    run.add({
      event_type: "hallucination_detected",
      name: "grounding_check",
      status: "warning",
      detection_method: "heuristic",
      confidence_score: Math.round(random.between(0.62, 0.94) * 100) / 100,
      flagged_content: ticket.answer,
      recommendations: [ticket.flaw, "Quote the policy in the prompt."],
    });
  }
  if (random.chance(0.05)) {
    run.add({
      event_type: "assertion_failed",
      name: "answer_is_short",
      status: "assertion_failed",
      assertion_name: "answer_is_short",
      assertion_type: "response_format",
      expected: { words_max: 40 },
      actual: { words: ticket.answer.split(" ").length },
      severity: "low",
    });
  }
  if (random.chance(0.35)) {
    const good = random.chance(ticket.intent === "complaint" ? 0.4 : 0.85);
    run.add({
      event_type: "score",
      name: "customer_feedback",
      status: "success",
      score_value: good ? 1 : 0,
      score_label: good ? "helpful" : "not helpful",
    });
  }
}
