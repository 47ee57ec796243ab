// Slack, by an incoming webhook.
import { z } from "zod";
import { channelKind, json, type Notification } from "./channel.ts";
import { webhookUrl } from "./webhook.ts";
import { bodyLines, colourOf, cut, facts } from "./words.ts";

const sectionCharactersMax = 3000;
const headerCharactersMax = 150;

export const slack = channelKind({
  type: "slack",
  // Whoever knows the address may post there: it is the secret.
  schema: z.strictObject({ url: webhookUrl.describe("Of an incoming webhook.") }),
  secrets: ["url"],
  perAlert: false,
  send: ({ url }, notification, transport) =>
    transport.post({ url, headers: json, body: JSON.stringify(messageOf(notification)) }),
});

function messageOf(notification: Notification) {
  const header = cut(notification.title, headerCharactersMax);
  return {
    // What a phone shows before the message is opened.
    text: escape(notification.title),
    attachments: [{
      color: colourOf(notification),
      blocks: [
        { type: "header", text: { type: "plain_text", text: header, emoji: false } },
        {
          type: "section",
          text: {
            type: "mrkdwn",
            text: cut(escape(bodyLines(notification).join("\n")), sectionCharactersMax),
          },
        },
        {
          type: "context",
          elements: [{
            type: "mrkdwn",
            text: cut(
              facts(notification).map(([name, value]) => escape(`${name}: ${value}`)).join(" · "),
              sectionCharactersMax,
            ),
          }],
        },
      ],
    }],
  };
}

/** Slack's three control characters: no label pings a channel or hides a link. */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
