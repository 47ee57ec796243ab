// What every OpenTelemetry producer may send: the resource, exceptions, users and sessions.
// https://opentelemetry.io/docs/specs/semconv/
import { attribute, computed, type Convention, has, resource } from "../convention.ts";
import { isPresent, type RawRecord } from "../record.ts";

/** The last exception is the one that ended the span. */
function exception(part: "type" | "message" | "stacktrace") {
  const key = `exception.${part}`;
  return computed(`event exception → ${key}`, ({ events }: RawRecord) => {
    const event = events.findLast(({ name }) => name === "exception");
    const value = event?.attributes[key];
    return isPresent(value) ? { value, keys: [] } : undefined;
  }, 60);
}

export const common: Convention = {
  id: "common",
  title: "OpenTelemetry",
  source: "https://opentelemetry.io/docs/specs/semconv/",
  recognises: () => true,
  kindRank: 80,
  kind: (record) => has(record, "tool.name") ? "tool" : undefined,
  fields: {
    input: [attribute("input", 200)],
    output: [attribute("output", 200)],
    tool_input: [attribute("input", 200)],
    tool_output: [attribute("output", 200)],
    prompt: [attribute("input", 200)],
    response: [attribute("output", 200)],
    user_id: [attribute("user.id", 95), attribute("enduser.id", 170)],
    session_id: [attribute("session.id", 92)],
    env: [
      attribute("deployment.environment.name", 95),
      attribute("deployment.environment", 96),
      resource("deployment.environment.name", 110),
      resource("deployment.environment", 111),
      resource("langfuse.environment", 112),
    ],
    release: [
      attribute("service.version", 110),
      resource("service.version", 120),
      resource("langfuse.release", 125),
    ],
    service: [attribute("service.name", 200), resource("service.name")],
    error_type: [
      attribute("error.type", 50),
      exception("type"),
      attribute("exception.type", 70),
    ],
    error_message: [exception("message"), attribute("exception.message", 70)],
    error_stack: [
      exception("stacktrace"),
      attribute("exception.stacktrace", 70),
    ],
    error_code: [
      attribute("http.response.status_code", 150),
      attribute("status_code", 160),
    ],
  },
};
