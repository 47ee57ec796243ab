// The forms of channels ask for what the server takes: no kind, field or secret more or less.
import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { channelKinds as served, channelSchema } from "../../src/notify/channels.ts";
import { channelFields, channelKinds } from "../../web/parts/channel_kinds.ts";

describe("forms of channels", () => {
  test("every kind has one", () => {
    expect(Object.keys(channelKinds).toSorted()).toEqual(served.map(({ type }) => type).toSorted());
  });

  for (const { type, schema, secrets } of served) {
    test(`${type}: fields, secrets and what is required`, () => {
      const form = channelKinds[type]?.fields ?? [];
      const known = z.toJSONSchema(schema, { io: "input" }) as {
        properties: Record<string, unknown>;
        required?: string[];
      };
      expect(form.map(({ name }) => name).toSorted()).toEqual(
        Object.keys(known.properties).toSorted(),
      );
      const marked = (mark: "secret" | "required") =>
        form.filter((field) => field[mark] === true).map(({ name }) => name).toSorted();
      expect(marked("secret")).toEqual([...secrets].toSorted());
      expect(marked("required")).toEqual((known.required ?? []).toSorted());
    });
  }

  test("what is typed is what the server takes", () => {
    const typed = {
      name: "Mail",
      host: "smtp.example.com",
      port: "465",
      security: "tls",
      from: "a@example.com",
      to: "b@example.com, c@example.com",
    };
    expect(channelSchema.parse(channelFields("email", typed)) as Record<string, unknown>)
      .toMatchObject({ port: 465, to: ["b@example.com", "c@example.com"] });
  });
});
