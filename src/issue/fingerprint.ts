// An event → the issue that it is one of, or null. Pure, and cheap for what did not fail: two look-ups.
import type { Event } from "../event.ts";
import { frameOf } from "./frame.ts";
import { type IssueFields, issueId, type IssueKind } from "./kind.ts";
import { templateOf } from "./template.ts";

const titleCharactersMax = 240;
const placeCharactersMax = 240;

/** Why a model stopped, in the words of providers and frameworks, in lower case. */
const truncated = new Set([
  "length",
  "max_tokens",
  "max_output_tokens",
  "model_length",
  "model_context_window_exceeded",
  "token_limit",
  "incomplete",
]);
const refused = new Set([
  "content_filter",
  "content-filter",
  "content_filtered",
  "refusal",
  "safety",
  "recitation",
  "blocklist",
  "prohibited_content",
  "spii",
  "image_safety",
  "language",
  "guardrail_intervened",
  "error_toxic",
]);
/** A provider that says so by an error. */
const refusedCode =
  /^(?:content_?filter(?:ed)?|content_policy_violation|responsible_?ai.*|safety)$/i;
/** Errors of those who read an answer: it did not have the form that was asked for. */
const breached =
  /(?:schema|valid(?:ation|ate)|output_?pars|json_?decode|json_?parse|invalid_?json|zod|pydantic|nooutputgenerated|noobjectgenerated|unexpectedmodelbehaviou?r|typevalidation)/i;

/** These speak of other events. */
const never = new Set(["performance_alert", "cost_threshold_exceeded", "score"]);

/** The issue that the event is one of; null when nothing failed. */
export function issueOf(event: Event): IssueFields | null {
  const { status, event_type } = event;
  if (status === "success" || status === "warning") {
    if (event_type === "prompt_call") return issueOfAnswer(event);
    if (event_type !== "hallucination_detected" && event_type !== "assertion_failed") return null;
  }
  if (never.has(event_type)) return null;
  if (event_type === "hallucination_detected") {
    const method = event.detection_method ?? "";
    const place = event.name ?? promptPlace(event);
    const words = method === ""
      ? "Hallucination"
      : `Hallucination, by ${method.replaceAll("_", " ")}`;
    return issue(event, "hallucination", [method, placeKey(event, place)], words, place);
  }
  if (event_type === "assertion_failed" || event.assertion_name !== undefined) {
    const name = event.assertion_name ?? event.name ?? "assertion";
    const kind = event.assertion_type === "response_format" ? "schema_breach" : "assertion";
    return issue(event, kind, [templateOf(name)], templateOf(name), promptPlace(event));
  }
  return issueOfError(event);
}

/** What went wrong in an answer that came. */
function issueOfAnswer(event: Event): IssueFields | null {
  const { finish_reason } = event;
  if (finish_reason !== undefined && finish_reason !== "stop") {
    const reason = finish_reason.toLowerCase();
    const where = promptPlace(event);
    if (truncated.has(reason)) {
      return issue(
        event,
        "truncation",
        [placeKey(event, where)],
        "Answer cut off at the token limit",
        where,
      );
    }
    if (refused.has(reason)) {
      return issue(
        event,
        "refusal",
        [placeKey(event, where)],
        `Refused: ${reason.replaceAll("_", " ")}`,
        where,
      );
    }
  }
  const { response } = event;
  // An answer that was not recorded is not known to be empty.
  if (response === undefined) return null;
  const said = typeof response === "string"
    ? response.length > 200 || response.trim() !== ""
    : null;
  if (said === true) return null;
  if (said === null) {
    const found = answerOf(response);
    if (found === "refusal") {
      const where = promptPlace(event);
      return issue(event, "refusal", [placeKey(event, where)], "Refused: by the model", where);
    }
    if (found !== "empty") return null;
  }
  if (event.tool_calls !== undefined && event.tool_calls.length > 0) return null;
  const where = promptPlace(event);
  return issue(event, "empty_answer", [placeKey(event, where)], "Empty answer", where);
}

/** Messages and parts that are looked at; an answer with more says something. */
const partsMax = 16;

/** Of messages in any of the usual forms: only what is surely empty is. */
function answerOf(response: unknown): "empty" | "refusal" | "said" {
  const messages = Array.isArray(response) ? response : [response];
  if (messages.length > partsMax) return "said";
  for (const message of messages as (Record<string, unknown> | string | null)[]) {
    if (typeof message !== "object" || message === null) {
      if (typeof message === "string" && message.trim() === "") continue;
      return "said";
    }
    if (typeof message.refusal === "string" && message.refusal !== "") return "refusal";
    if (!("content" in message || "parts" in message)) return "said";
    if (!isBlank(message.content) || !isBlank(message.parts)) return "said";
    // Calls stand under many names; whatever is not known to say nothing says something.
    for (const name in message) {
      if (!wordless.has(name) && holdsSomething(message[name], wordlessDepthMax)) return "said";
    }
  }
  return "empty";
}

/** Of a message: what it is, not what it says. */
const wordless = new Set([
  "content",
  "parts",
  "role",
  "name",
  "id",
  "type",
  "index",
  "model",
  "status",
  "finish_reason",
  "stop_reason",
  "response_metadata",
  "usage_metadata",
  "usage",
  "lc",
  "example",
  "reasoning",
  "reasoning_content",
]);
const wordlessDepthMax = 3;

function holdsSomething(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) {
    return value !== undefined && value !== null && value !== "" && value !== false;
  }
  if (depth === 0) return true;
  for (const name in value) {
    if (holdsSomething((value as Record<string, unknown>)[name], depth - 1)) return true;
  }
  return false;
}

function isBlank(content: unknown): boolean {
  if (content === undefined || content === null) return true;
  if (typeof content === "string") return content.length <= 200 && content.trim() === "";
  if (!Array.isArray(content) || content.length > partsMax) return false;
  return content.every((part) => {
    if (typeof part !== "object" || part === null) return false;
    const { type, text, content } = part as Record<string, unknown>;
    const words = text ?? content;
    return (type === undefined || type === "text" || type === "output_text") &&
      typeof words === "string" && words.trim() === "";
  });
}

function issueOfError(event: Event): IssueFields {
  const { error, error_type = "", error_code = "", event_type } = event;
  const message = event.error_message ?? "";
  const template = templateOf(message);
  const type = error_type === "" ? "" : templateOf(error_type);
  if (event_type === "tool_call") {
    const tool = event.tool_name ?? event.name ?? "";
    const what = [type, error_code, template].filter((part) => part !== "").join(": ");
    const parts = [tool, type, error_code, template];
    return issue(event, "tool_error", parts, what === "" ? failedWord(event) : what, tool);
  }
  const status = httpStatus(error, error_code, message);
  const code = codeOf(error, error_code, message);
  if (refusedCode.test(code) || refusedCode.test(error_type)) {
    const where = promptPlace(event);
    return issue(
      event,
      "refusal",
      [placeKey(event, where)],
      `Refused: ${code || error_type}`,
      where,
    );
  }
  const what = [type, template].filter((part) => part !== "").join(": ");
  const title = what === "" ? failedWord(event) : what;
  const stack = stackOf(event);
  const frame = stack === "" ? null : frameOf(stack);
  const where = promptPlace(event);
  if (isBreach(error_type, code)) {
    const name = last(type === "" ? code : type);
    return issue(
      event,
      "schema_breach",
      [name, frame ?? placeKey(event, where)],
      title,
      frame ?? where,
    );
  }
  const isCall = event_type === "prompt_call" || event.model !== undefined ||
    event.provider !== undefined;
  if (isCall || status !== "") {
    const provider = event.provider ?? "";
    const known = [status, code].filter((part) => part !== "").join(" ");
    // The words of a provider differ by account and model; what it says in a code does not.
    const named = code === "" ? last(type) : code;
    const parts = known === "" ? [provider, named, template] : [provider, status, named];
    if (known !== "" && isVague(status, code)) parts.push(template);
    const words = known === "" || title.includes(known) ? title : `${known}: ${title}`;
    return issue(event, "provider_error", parts, words, provider === "" ? where : provider);
  }
  const name = frame === null ? event.name ?? event.step_name ?? event.agent_name ?? null : frame;
  const parts = frame === null ? [type, code, template] : [type, frame];
  if (what === "") parts.push(name === null ? event_type : templateOf(name));
  return issue(event, "exception", parts, title, name);
}

const vagueCode =
  /^(?:invalid_?request(?:_?error)?|invalid_?argument|invalid_?value|bad_?request|validation_?(?:exception|error)|api_?error|error|unknown)$/i;

/** "Your request is wrong" says nothing of what is wrong with it; "too many requests" does. */
function isVague(status: string, code: string): boolean {
  return (code === "" || vagueCode.test(code)) && ["", "400", "404", "422"].includes(status);
}

function failedWord({ status }: Event): string {
  return status === "timeout" ? "Timed out" : "Failed without a word";
}

function isBreach(type: string, code: string): boolean {
  return (type !== "" && type.length <= 200 && breached.test(last(type))) ||
    code === "json_validate_failed";
}

/** `openai.RateLimitError` and `RateLimitError` are one. */
function last(type: string): string {
  return type.slice(Math.max(type.lastIndexOf("."), type.lastIndexOf(":")) + 1);
}

function stackOf(event: Event): string {
  const { stack } = (event.error ?? {}) as { stack?: unknown };
  if (typeof stack === "string") return stack;
  return event.stack_trace ?? "";
}

const statusInWords =
  /\b(?:HTTP(?:\/\d(?:\.\d)?)?|[Ss]tatus(?:[ _]?[Cc]ode)?|[Ee]rror [Cc]ode)[ :='"]{1,4}([45]\d\d)\b/;

function httpStatus(error: Event["error"], code: string, message: string): string {
  const { status, status_code, statusCode } = (error ?? {}) as Record<string, unknown>;
  for (const given of [status, status_code, statusCode, code]) {
    const text = typeof given === "number" ? String(given) : given;
    if (typeof text === "string" && /^[45]\d\d$/.test(text)) return text;
  }
  return statusInWords.exec(message.slice(0, titleCharactersMax))?.[1] ?? "";
}

const codeInWords = /["'](?:code|type)["']\s?:\s?["']([a-z][a-z_]{2,60})["']/g;

/** A word that the provider has for it, such as rate_limit_exceeded; empty when there is none. */
function codeOf(error: Event["error"], code: string, message: string): string {
  if (code !== "" && !/^\d+$/.test(code)) return templateOf(code);
  const { param: _, ...rest } = (error ?? {}) as Record<string, unknown>;
  if (typeof rest.code === "string" && !/^\d*$/.test(rest.code)) return templateOf(rest.code);
  for (const [, word] of message.slice(0, 1000).matchAll(codeInWords)) {
    if (word !== "error") return word!;
  }
  return "";
}

/** Which prompt: its template, its name, or else the model. */
function promptPlace(event: Event): string | null {
  return event.prompt_template_id ?? event.name ?? event.agent_name ?? event.step_name ??
    event.model ?? null;
}

/** Names may hold what differs from run to run; the name of a model is one. */
function placeKey({ model }: Event, place: string | null): string {
  return place === null || place === model ? place ?? "" : templateOf(place);
}

function issue(
  event: Event,
  kind: IssueKind,
  parts: readonly string[],
  title: string,
  place: string | null,
): IssueFields {
  const { fingerprint } = event;
  return {
    // What the producer, or a rule of the project, says is one failure is one, whatever its kind.
    issue: issueId(fingerprint === undefined ? [kind, ...parts] : ["", fingerprint]),
    issue_kind: kind,
    issue_title: cut(title, titleCharactersMax),
    issue_place: place === null || place === "" ? null : cut(place, placeCharactersMax),
  };
}

function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax
    ? text
    : `${text.slice(0, charactersMax - 1).toWellFormed()}…`;
}

/** Sets what is stored of it, in place; whatever stood there before is gone. */
export function setIssue(event: Event): void {
  const found = issueOf(event);
  if (found === null) {
    // Not for every event: deleting from an object makes it slow.
    if (event.issue !== undefined) {
      delete event.issue;
      delete event.issue_kind;
      delete event.issue_title;
      delete event.issue_place;
    }
    return;
  }
  event.issue = found.issue;
  event.issue_kind = found.issue_kind;
  event.issue_title = found.issue_title;
  if (found.issue_place === null) delete event.issue_place;
  else event.issue_place = found.issue_place;
}
