// Every kind of channel. A new one is a file beside this one, and a line here.
import { z } from "zod";
import type { ChannelKind, Settings } from "./channel.ts";
import { alertmanager } from "./alertmanager.ts";
import { datadog } from "./datadog.ts";
import { discord } from "./discord.ts";
import { email } from "./email.ts";
import { messageSchema } from "./message.ts";
import { opsgenie } from "./opsgenie.ts";
import { otlp } from "./otlp.ts";
import { pagerduty } from "./pagerduty.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { webhook } from "./webhook.ts";

export const channelKinds: readonly ChannelKind<Settings>[] = [
  webhook,
  slack,
  email,
  pagerduty,
  teams,
  discord,
  opsgenie,
  datadog,
  otlp,
  alertmanager,
];

export function kindOf(type: string) {
  return channelKinds.find((kind) => kind.type === type) ?? null;
}

const name = z.string().min(1).max(200);

/** A channel as it is sent: type, name, words of its own, and what its kind needs. */
export const channelSchema = z.discriminatedUnion(
  "type",
  channelKinds.map((kind) =>
    (kind.schema as z.ZodObject).safeExtend({
      type: z.literal(kind.type),
      name,
      message: messageSchema.optional(),
    })
  ) as unknown as [z.ZodObject<{ type: z.ZodLiteral<string>; name: typeof name }>],
);
