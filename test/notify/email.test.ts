// Mail to a real SMTP server on this machine: in the clear, by STARTTLS, by TLS; refused and hanging.
import { afterEach, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { email } from "../../src/notify/email.ts";
import { cert, key } from "./certificate.ts";
import { alert, notification, transport } from "./fixture.ts";

interface Mail {
  from: string;
  to: string[];
  text: string;
  secure: boolean;
  user: string | undefined;
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function start(options: SMTPServerOptions = {}): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    cert,
    key,
    authOptional: true,
    disableReverseLookup: true,
    onAuth: ({ username, password }, _session, done) => {
      if (password === "right-password") done(null, { user: username });
      else done(new Error("Invalid username or password"));
    },
    onData: (stream, session, done) => {
      const pieces: Buffer[] = [];
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(pieces).toString("utf8"),
          secure: session.secure,
          user: session.user,
        });
        done(null);
      });
    },
    ...options,
  });
  server.on("error", () => {});
  closing.push(() => void server.close());
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, mails };
}

const settings = (port: number, more: Record<string, unknown> = {}) => ({
  host: "receiver.test",
  port,
  security: "none",
  from: "watchllm@example.com",
  to: ["ops@example.com", "lead@example.com"],
  ...more,
});

describe("a mail arrives", () => {
  test("in the clear, when that is asked for", async () => {
    const { port, mails } = await start({ hideSTARTTLS: true });
    const told = notification("firing", [
      alert({ labels: { model: "<script>x</script>\r\nBcc: a@b.c" } }),
    ]);
    expect(await email.send(settings(port), told, transport())).toEqual({ ok: true, status: null });
    const [mail] = mails;
    expect(mail).toMatchObject({
      from: "watchllm@example.com",
      to: ["ops@example.com", "lead@example.com"],
      secure: false,
    });
    expect(mail!.text).toContain("Message-ID: <dl_firing@watchllm>");
    expect(mail!.text).toContain("References: <rule_1@watchllm>");
    expect(mail!.text).toContain("&lt;script&gt;x");
    expect(mail!.text).not.toMatch(/^Bcc:/m);
  });

  test.each([
    ["starttls", false],
    ["tls", true],
  ])("by %s, with a password", async (security, secure) => {
    const { port, mails } = await start({ secure });
    const given = { security, username: "ann", password: "right-password", ca: cert };
    expect(await email.send(settings(port, given), notification(), transport()))
      .toEqual({ ok: true, status: null });
    expect(mails).toMatchObject([{ secure: true, user: "ann" }]);
  });
});

describe("a mail does not arrive, and the reason is told", () => {
  const refuse = (responseCode: number, message: string) =>
    Object.assign(new Error(message), { responseCode });
  const cases: [
    question: string,
    options: SMTPServerOptions,
    more: Record<string, unknown>,
    reason: string,
    word: string,
  ][] = [
    [
      "a wrong password",
      {},
      {
        security: "starttls",
        username: "ann",
        password: "wrong",
        ca: cert,
      },
      "answered_error",
      "Invalid username or password",
    ],
    ["nobody vouches for the certificate", {}, { security: "starttls" }, "tls", "certificate"],
    [
      "the certificate is another's",
      {},
      { security: "starttls", ca: cert, host: "other.test" },
      "tls",
      "other.test",
    ],
    [
      "no STARTTLS where it is asked for",
      { disabledCommands: ["STARTTLS"] },
      { security: "starttls" },
      "tls",
      "STARTTLS",
    ],
    [
      "the server refuses the recipient",
      {
        onRcptTo: (_address, _session, done) => done(refuse(550, "No such user here")),
      },
      {},
      "answered_error",
      "No such user here",
    ],
    [
      "the server is busy",
      {
        onMailFrom: (_address, _session, done) => done(refuse(451, "Try again later")),
      },
      {},
      "answered_error",
      "Try again later",
    ],
  ];
  test.each(cases)("%s", async (_question, options, more, reason, word) => {
    const { port, mails } = await start(options);
    const outcome = await email.send(settings(port, more), notification(), transport());
    expect(outcome).toMatchObject({
      ok: false,
      reason,
      permanent: false,
      message: expect.stringContaining(word),
    });
    expect(mails).toEqual([]);
  });

  test("nobody listens", async () => {
    const { port } = await start();
    closing.splice(0).forEach((close) => close());
    const outcome = await email.send(settings(port), notification(), transport());
    expect(outcome).toMatchObject({ ok: false, reason: "unreachable" });
  });

  test("an inner address is refused unless it is allowed", async () => {
    const { port, mails } = await start();
    const outcome = await email.send(
      settings(port),
      notification(),
      transport({ allowInside: false }),
    );
    expect(outcome).toMatchObject({ ok: false, reason: "address_refused" });
    expect(mails).toEqual([]);
  });

  test("a server that says nothing is given up", async () => {
    const silent = createServer();
    closing.push(() => silent.close());
    const { promise, resolve } = Promise.withResolvers<void>();
    silent.listen(0, "127.0.0.1", resolve);
    await promise;
    const { port } = silent.address() as { port: number };
    const outcome = await email.send(settings(port), notification(), transport());
    expect(outcome).toMatchObject({ ok: false, reason: "timeout" });
  }, 40_000);
});
