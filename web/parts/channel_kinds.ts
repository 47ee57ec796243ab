// What each kind of channel is asked for: the fields of the API, in words. Secrets go in only.

export interface ChannelField {
  name: string;
  label: string;
  secret?: boolean;
  required?: boolean;
  type?: "url" | "email" | "number" | "list" | "lines" | "headers";
  hint?: string;
  choices?: readonly (readonly [string, string])[];
}

export interface ChannelKind {
  word: string;
  fields: readonly ChannelField[];
}

const incoming = (hint: string): ChannelField => ({
  name: "url",
  label: "Webhook URL",
  secret: true,
  required: true,
  type: "url",
  hint,
});

export const channelKinds: Record<string, ChannelKind> = {
  slack: { word: "Slack", fields: [incoming("https://hooks.slack.com/services/…")] },
  email: {
    word: "E-mail",
    fields: [
      { name: "host", label: "SMTP server", required: true, hint: "smtp.example.com" },
      { name: "port", label: "Port", type: "number", hint: "587" },
      {
        name: "security",
        label: "Encryption",
        choices: [["starttls", "STARTTLS"], ["tls", "TLS"], ["none", "none"]],
      },
      { name: "username", label: "User name" },
      { name: "password", label: "Password", secret: true },
      { name: "from", label: "From", required: true, type: "email" },
      { name: "to", label: "To, with commas", required: true, type: "list" },
      { name: "ca", label: "Certificate to trust, as PEM", type: "lines" },
    ],
  },
  webhook: {
    word: "Webhook",
    fields: [
      { name: "url", label: "URL", required: true, type: "url", hint: "https://" },
      {
        name: "secret",
        label: "Secret, to sign with",
        secret: true,
        hint: "not signed when left empty",
      },
    ],
  },
  pagerduty: {
    word: "PagerDuty",
    fields: [
      {
        name: "routing_key",
        label: "Integration key (Events API v2)",
        secret: true,
        required: true,
      },
      {
        name: "url",
        label: "Address",
        type: "url",
        hint: "https://events.pagerduty.com/v2/enqueue",
      },
    ],
  },
  teams: { word: "Microsoft Teams", fields: [incoming("of a workflow that posts a card")] },
  discord: { word: "Discord", fields: [incoming("https://discord.com/api/webhooks/…")] },
  opsgenie: {
    word: "Opsgenie",
    fields: [
      { name: "api_key", label: "API key", secret: true, required: true },
      { name: "url", label: "Address", type: "url", hint: "https://api.opsgenie.com" },
    ],
  },
  datadog: {
    word: "Datadog",
    fields: [
      { name: "api_key", label: "API key", secret: true, required: true },
      { name: "url", label: "Address", type: "url", hint: "https://api.datadoghq.com" },
    ],
  },
  otlp: {
    word: "OpenTelemetry",
    fields: [
      {
        name: "url",
        label: "URL of the logs",
        required: true,
        type: "url",
        hint: "http://collector:4318/v1/logs",
      },
      { name: "headers", label: "Headers, one a line", secret: true, type: "headers" },
    ],
  },
  alertmanager: {
    word: "Prometheus Alertmanager",
    fields: [
      { name: "url", label: "URL", required: true, type: "url", hint: "http://alertmanager:9093" },
      { name: "username", label: "User name" },
      { name: "password", label: "Password", secret: true },
      { name: "token", label: "Bearer token", secret: true },
    ],
  },
};

/** What is typed for a channel, by field. */
export type TypedChannel = Record<string, string>;

/**
 * What is sent. An empty secret is left out, which keeps the one that is set; any other field that
 * was emptied is taken away from a channel that there is.
 */
export function channelFields(
  type: string,
  typed: TypedChannel,
  isChange = false,
): Record<string, unknown> {
  const fields: Record<string, unknown> = { type, name: typed.name?.trim() ?? "" };
  const words = Object.fromEntries(
    (["title", "text"] as const).map((name) => [name, typed[`message_${name}`]?.trim() ?? ""])
      .filter(([, text]) => text !== ""),
  );
  if (Object.keys(words).length > 0) fields.message = words;
  else if (isChange) fields.message = null;
  for (const { name, type: kind, secret } of channelKinds[type]?.fields ?? []) {
    const text = typed[name]?.trim() ?? "";
    if (text === "") {
      if (isChange && secret !== true) fields[name] = null;
      continue;
    }
    fields[name] = kind === "number"
      ? Number(text)
      : kind === "list"
      ? text.split(",").map((one) => one.trim()).filter((one) => one !== "")
      : kind === "headers"
      ? Object.fromEntries(
        text.split("\n").filter((line) => line.trim() !== "").map((line) => {
          const at = line.indexOf(":");
          if (at < 1) throw new Error(`Headers: "${line}" is not of the form name: value.`);
          return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
        }),
      )
      : text;
  }
  return fields;
}
