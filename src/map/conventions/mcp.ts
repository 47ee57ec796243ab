// Model Context Protocol, as OpenTelemetry's conventions name it.
// https://github.com/open-telemetry/semantic-conventions-genai/tree/main/docs/mcp
import { attribute, computed, type Convention, hasPrefix, wordOf } from "../convention.ts";

export const mcp: Convention = {
  id: "mcp",
  title: "MCP",
  source: "https://github.com/open-telemetry/semantic-conventions-genai",
  recognises: (record) => hasPrefix(record, "mcp."),
  kindRank: 60,
  kind: (record) => {
    const method = wordOf(record, "mcp.method.name");
    if (method === "tools/call") return "tool";
    return method === "" ? undefined : "other";
  },
  fields: {
    operation: [attribute("mcp.method.name", 160)],
    tool_name: [
      computed("name of the span, after tools/call", (record) => {
        const tool = /^tools\/call (.+)$/.exec(record.name)?.[1];
        return tool === undefined ? undefined : { value: tool, keys: [] };
      }, 155),
    ],
    tool_call_id: [attribute("jsonrpc.request.id", 180)],
    tool_input: [attribute("mcp.request.argument", 130)],
    tool_output: [attribute("mcp.response.value", 130)],
    session_id: [attribute("mcp.session.id", 190)],
    error_code: [attribute("rpc.response.status_code", 120)],
  },
};
