// E-mail, by SMTP.
import { createTransport } from "nodemailer";
import { z } from "zod";
import { channelKind, type Notification, type Outcome } from "./channel.ts";
import { failure } from "./post.ts";
import { bodyLines, colourOf, facts } from "./words.ts";

const mailMsMax = 30_000;
const recipientsMax = 50;

const settings = z.strictObject({
  host: z.string().min(1).max(253).describe("SMTP server."),
  port: z.int().min(1).max(65_535).default(587),
  security: z.enum(["starttls", "tls", "none"]).default("starttls")
    .describe("starttls is required once it is asked for: nothing is sent in the clear."),
  username: z.string().max(200).optional(),
  password: z.string().max(1000).optional(),
  from: z.email().max(320),
  to: z.array(z.email().max(320)).min(1).max(recipientsMax),
  ca: z.string().max(20_000).optional()
    .describe("Certificate to trust beside the usual ones, as PEM."),
});
type Settings = z.infer<typeof settings>;

export const email = channelKind<Settings>({
  type: "email",
  schema: settings,
  secrets: ["password"],
  perAlert: false,
  async send(config, notification, transport) {
    const found = await transport.resolve(config.host);
    return "address" in found ? await mail(config, found.address, notification) : found;
  },
});

async function mail(
  { host, port, security, username, password, from, to, ca }: Settings,
  address: string,
  notification: Notification,
): Promise<Outcome> {
  const mailer = createTransport({
    host: address,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    tls: { servername: host, ...(ca === undefined ? {} : { ca }) },
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? "" } }),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 15_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("timeout")), mailMsMax);
  try {
    const sent = mailer.sendMail({ ...messageOf(notification), from, to: [...to] });
    await Promise.race([sent, late.promise]);
    return { ok: true, status: null };
  } catch (error) {
    return failureOf(error as Error & { code?: string; responseCode?: number }, host);
  } finally {
    clearTimeout(timer);
    mailer.close();
  }
}

/** The mail has one id however often it is sent; all mails of a rule are one conversation. */
function messageOf(notification: Notification) {
  const lines = bodyLines(notification);
  const rows = facts(notification);
  return {
    subject: `[WatchLLM] ${notification.title}`,
    messageId: `<${notification.id}@watchllm>`,
    references: [`<${notification.rule.id}@watchllm>`],
    headers: { "auto-submitted": "auto-generated" },
    text: [...lines, "", ...rows.map(([name, value]) => `${name}: ${value}`)].join("\n"),
    html: `<div style="border-left:4px solid ${colourOf(notification)};padding-left:12px;` +
      `font-family:sans-serif"><h2>${escape(notification.title)}</h2>` +
      lines.map((line) => `<p>${escape(line)}</p>`).join("") +
      `<table>${
        rows.map(([name, value]) =>
          `<tr><td style="color:#666;padding-right:12px">${escape(name)}</td><td>${
            escape(value)
          }</td></tr>`
        ).join("")
      }</table></div>`,
  };
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** What SMTP says is in the message; its codes are not those of HTTP. */
function failureOf(error: Error & { code?: string; responseCode?: number }, host: string): Outcome {
  const { code = "", responseCode, message } = error;
  if (message === "timeout" || code === "ETIMEDOUT") {
    return failure("timeout", `${host} did not take the mail in time.`);
  }
  if (code === "ETLS" || /certificate|self.signed|altname/i.test(message)) {
    return failure("tls", `No safe connection to ${host}: ${message}`);
  }
  return responseCode === undefined
    ? failure("unreachable", `${host} cannot be reached: ${message}`)
    : failure("answered_error", `${host} refused the mail: ${message}`);
}
