// One HTTP request to a receiver that may be anybody: to a checked address only, without redirects,
// with bounds on time and on what is read of the answer.
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { checkedAddress, type Resolve } from "./address.ts";
import type { Outcome, Request } from "./channel.ts";

export interface PostOptions {
  allowInside: boolean;
  resolve: Resolve;
  /** From the first byte to the last, whatever trickles in between. */
  timeoutMs: number;
  /** Certificates to trust beside the system's, as PEM; for tests. */
  ca?: string;
}

/** Of the answer; enough for a word about an error. */
const answerBytesMax = 4096;
const messageCharactersMax = 300;
const retryAfterSMax = 3600;

export async function post(request: Request, options: PostOptions): Promise<Outcome> {
  let url: URL;
  try {
    url = new URL(request.url);
  } catch {
    return failure("not_configured", `"${request.url}" is no URL.`, { permanent: true });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return failure("not_configured", `${url.protocol} is not spoken here.`, { permanent: true });
  }
  const checked = await checkedAddress(url.hostname, options);
  if ("problem" in checked) {
    const isRefused = checked.problem === "refused";
    return failure(isRefused ? "address_refused" : "unreachable", checked.message, {
      permanent: isRefused,
    });
  }
  return await send(request, url, checked.address, options);
}

function send(request: Request, url: URL, address: string, options: PostOptions): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const isTls = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const outgoing = (isTls ? requestHttps : requestHttp)({
    host: address,
    port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    method: "POST",
    // No pool: a connection that was checked once must not serve another name.
    agent: false,
    headers: {
      ...request.headers,
      ...basicAuth(url, request.headers),
      host: url.host,
      "user-agent": "WatchLLM",
      "content-length": String(Buffer.byteLength(request.body)),
      connection: "close",
    },
    // The name of the certificate is that of the URL, not the number that it led to.
    ...(isTls && isIP(host) === 0 ? { servername: host } : {}),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  }, (answer) => {
    readStart(answer).then((text) => done(outcomeOf(answer, text)));
  });
  const timer = setTimeout(() => {
    done(failure("timeout", `No whole answer within ${options.timeoutMs / 1000} s.`));
  }, options.timeoutMs);
  const done = (outcome: Outcome) => {
    clearTimeout(timer);
    resolve(outcome);
    outgoing.destroy();
  };
  outgoing.on("error", (error: NodeJS.ErrnoException) => done(failureOf(error, url)));
  outgoing.end(request.body);
  return promise;
}

/** A name and password in the URL; fetch would refuse them. */
function basicAuth(url: URL, headers: Record<string, string>): Record<string, string> {
  if (url.username === "" || "authorization" in headers) return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

/** The first bytes of the body; the rest is not waited for. */
async function readStart(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const status = answer.statusCode ?? 0;
  // Of a good answer nothing is needed: one that never ends is none the worse.
  if (status >= 200 && status < 300) return "";
  try {
    for await (const piece of answer) {
      pieces.push(piece as Buffer);
      bytes += (piece as Buffer).length;
      if (bytes >= answerBytesMax) break;
    }
  } catch {
    // What came before the connection broke is enough.
  }
  return Buffer.concat(pieces).subarray(0, answerBytesMax).toString("utf8");
}

function outcomeOf(answer: IncomingMessage, text: string): Outcome {
  const status = answer.statusCode ?? 0;
  if (status >= 200 && status < 300) return { ok: true, status };
  if (status >= 300 && status < 400) {
    return failure(
      "redirected",
      `Answered ${status}: redirects are not followed. Set the URL ` +
        `that it leads to.`,
      { status, permanent: true },
    );
  }
  // deno-lint-ignore no-control-regex
  const words = text.replaceAll(/[\x00-\x1f\x7f]+/g, " ").trim().slice(0, messageCharactersMax);
  return failure("answered_error", `Answered ${status}${words === "" ? "." : `: ${words}`}`, {
    status,
    permanent: status === 410,
    retryAfterS: retryAfterOf(answer.headers["retry-after"], Date.parse(answer.headers.date ?? "")),
  });
}

/** Seconds, or a date measured by the receiver's own clock. */
export function retryAfterOf(header: string | undefined, dateMs: number): number | null {
  if (header === undefined) return null;
  const seconds = /^\d+$/.test(header.trim())
    ? Number(header)
    : (Date.parse(header) - dateMs) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, retryAfterSMax) : null;
}

function failureOf(error: NodeJS.ErrnoException, url: URL): Outcome {
  const code = error.code ?? "";
  const isTls = /CERT|TLS|SSL|SIGNED|ALTNAME/.test(code);
  return isTls
    ? failure("tls", `The certificate of ${url.host} is not to be trusted: ${error.message}`)
    : failure("unreachable", `${url.host} cannot be reached: ${code || error.message}.`);
}

export function failure(
  reason: Extract<Outcome, { ok: false }>["reason"],
  message: string,
  more: { status?: number; permanent?: boolean; retryAfterS?: number | null } = {},
): Extract<Outcome, { ok: false }> {
  return {
    ok: false,
    reason,
    message,
    status: more.status ?? null,
    permanent: more.permanent ?? false,
    retryAfterS: more.retryAfterS ?? null,
  };
}
