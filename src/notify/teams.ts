// Microsoft Teams, by a webhook of a workflow: an adaptive card.
import { z } from "zod";
import { channelKind, json, type Notification } from "./channel.ts";
import { webhookUrl } from "./webhook.ts";
import { bodyLines, cut, facts } from "./words.ts";

const textCharactersMax = 5000;

export const teams = channelKind({
  type: "teams",
  schema: z.strictObject({
    url: webhookUrl.describe("Of a workflow that posts a card when a webhook request comes."),
  }),
  secrets: ["url"],
  perAlert: false,
  send: ({ url }, notification, transport) =>
    transport.post({ url, headers: json, body: JSON.stringify(messageOf(notification)) }),
});

function messageOf(notification: Notification) {
  const { url } = notification.rule.runbook;
  return {
    type: "message",
    attachments: [{
      contentType: "application/vnd.microsoft.card.adaptive",
      contentUrl: null,
      content: {
        $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        type: "AdaptiveCard",
        version: "1.4",
        body: [
          {
            type: "TextBlock",
            size: "Medium",
            weight: "Bolder",
            wrap: true,
            color: colourName(notification),
            text: plain(notification.title),
          },
          {
            type: "TextBlock",
            wrap: true,
            text: cut(plain(bodyLines(notification).join("\n\n")), textCharactersMax),
          },
          {
            type: "FactSet",
            facts: facts(notification).map(([title, value]) => ({ title, value: plain(value) })),
          },
        ],
        ...url === null
          ? {}
          : { actions: [{ type: "Action.OpenUrl", title: "Open the runbook", url }] },
      },
    }],
  };
}

function colourName({ kind, level }: Notification): string {
  if (kind === "resolved") return "Good";
  if (kind === "test") return "Default";
  return level === "critical" ? "Attention" : "Warning";
}

/** A text block reads Markdown: a label is no link. */
function plain(text: string): string {
  return text.replaceAll(/[\\[\]()*_`]/g, (character) => `\\${character}`);
}
