// Any HTTP call: its body is the answer.
import type { Kind } from "./kind.ts";

export const http: Kind = {
  ask: ({ method = "GET", url, body }, { api_key, headers = {} }) => ({
    method,
    url,
    headers: {
      ...(body === undefined ? {} : { "content-type": contentTypeOf(body) }),
      ...(api_key === undefined ? {} : { authorization: `Bearer ${api_key}` }),
      ...headers,
    },
    body: body ?? null,
  }),
  read: (text) => ({ text }),
};

function contentTypeOf(body: string): string {
  try {
    JSON.parse(body);
    return "application/json";
  } catch {
    return "text/plain; charset=utf-8";
  }
}
