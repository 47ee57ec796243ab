// A webhook: the notification as JSON, signed with HMAC-SHA256 over the time stamp and the body.
import { z } from "zod";
import { channelKind, json, type Notification } from "./channel.ts";

export const webhookUrl = z.url({ protocol: /^https?$/ }).max(2000);

export const webhook = channelKind({
  type: "webhook",
  schema: z.strictObject({
    url: webhookUrl,
    secret: z.string().min(8).max(1000).optional()
      .describe(
        "Signs each request: x-watchllm-signature is v1=<hex of HMAC-SHA256 of " +
          "`<x-watchllm-timestamp>.<body>`>.",
      ),
  }),
  secrets: ["secret"],
  perAlert: false,
  send({ url, secret }, notification, transport) {
    const body = JSON.stringify(payloadOf(notification));
    const timestamp = String(Math.floor(transport.nowMs() / 1000));
    return transport.post({
      url,
      headers: {
        ...json,
        "x-watchllm-delivery": notification.id,
        "x-watchllm-timestamp": timestamp,
        ...secret === undefined
          ? {}
          : { "x-watchllm-signature": signatureOf(secret, timestamp, body) },
      },
      body,
    });
  },
});

export function signatureOf(secret: string, timestamp: string, body: string): string {
  const hmac = new Bun.CryptoHasher("sha256", secret).update(`${timestamp}.${body}`);
  return `v1=${hmac.digest("hex")}`;
}

/** The whole notification: names of fields are kept. */
export function payloadOf(notification: Notification) {
  const { id, kind, at, ...rest } = notification;
  const status = kind === "resolved" ? "resolved" : kind === "test" ? "test" : "firing";
  return { id, kind, status, at, ...rest };
}
