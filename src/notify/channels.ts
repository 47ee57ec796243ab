// Every kind of channel. A new one is a file beside this one, and a line here.
import { z } from "zod";
import type { ChannelKind, Settings } from "./channel.ts";
import { webhook } from "./webhook.ts";

export const channelKinds: readonly ChannelKind<Settings>[] = [
  webhook,
];

export function kindOf(type: string) {
  return channelKinds.find((kind) => kind.type === type) ?? null;
}

const name = z.string().min(1).max(200);

/** A channel as it is sent: type, name, and what its kind needs. */
export const channelSchema = z.discriminatedUnion(
  "type",
  channelKinds.map((kind) =>
    (kind.schema as z.ZodObject).extend({ type: z.literal(kind.type), name })
  ) as unknown as [z.ZodObject<{ type: z.ZodLiteral<string>; name: typeof name }>],
);
