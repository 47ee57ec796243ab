// Discord, by a webhook of a channel.
import { z } from "zod";
import { channelKind, json, type Notification } from "./channel.ts";
import { webhookUrl } from "./webhook.ts";
import { bodyLines, colourOf, cut, facts } from "./words.ts";

const titleCharactersMax = 256;
const textCharactersMax = 4000;
const fieldCharactersMax = 1000;
const fieldsMax = 25;

export const discord = channelKind({
  type: "discord",
  schema: z.strictObject({ url: webhookUrl.describe("Of a channel's webhook.") }),
  secrets: ["url"],
  perAlert: false,
  send: ({ url }, notification, transport) =>
    transport.post({ url, headers: json, body: JSON.stringify(messageOf(notification)) }),
});

function messageOf(notification: Notification) {
  return {
    username: "WatchLLM",
    embeds: [{
      title: cut(notification.title, titleCharactersMax),
      description: cut(bodyLines(notification).join("\n"), textCharactersMax),
      color: Number.parseInt(colourOf(notification).slice(1), 16),
      fields: facts(notification).slice(0, fieldsMax).map(([name, value]) => ({
        name: cut(name, titleCharactersMax),
        value: cut(value, fieldCharactersMax) || "-",
        inline: true,
      })),
      timestamp: notification.at,
    }],
    // No label of an event mentions everyone.
    allowed_mentions: { parse: [] },
  };
}
