// The clients of model providers: every helper of theirs ends in one method of the client, which is
// watched there. The client stays the object that it is, and so does all that it returns.
import { whenAbandoned } from "./follow.ts";
import { limits } from "./limits.ts";
import { ModelCall, present } from "./model_call.ts";
import { currentScope, type Scope } from "./scope.ts";
import { Snapshot } from "./snapshot.ts";
import type { Fields } from "./span.ts";
import { quietly, state } from "./state.ts";
import { watchBody, watchReading } from "./watch_response.ts";
import { anthropic } from "./wire/anthropic.ts";
import { gemini } from "./wire/gemini.ts";
import { openai } from "./wire/openai.ts";
import { providerOf } from "./wire/provider.ts";
import { get, type Operation } from "./wire/reading.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;

const isWatched = Symbol.for("aisentry.watched");

/** Watches one client; what is no client of a kind that is known is left alone. */
export function wrapClient(client: unknown): void {
  if (watchClient(client as object)) return;
  const text = "wrap() knows clients of OpenAI, Anthropic and Google GenAI, and their like.";
  state.warnings.once("wrap", text);
}

/** A client or a prototype of clients; false when it is neither. */
export function watchClient(client: object): boolean {
  if (typeof get(client, "makeRequest") === "function") {
    patch(client, "makeRequest", watchRequest);
    patch(
      client,
      "withOptions",
      (original) =>
        function (this: unknown, ...args) {
          const copy = original.apply(this, args);
          quietly(() => watchClient(copy as object));
          return copy;
        },
    );
    return true;
  }
  const google = get(client, "apiClient") ?? client;
  if (typeof get(google, "requestStream") !== "function") return false;
  patch(google as object, "request", watchGoogle);
  patch(google as object, "requestStream", watchGoogle);
  return true;
}

function patch(
  owner: object,
  name: string,
  watching: (original: Method) => Method,
): void {
  const original = (owner as Record<string, unknown>)[name] as Method & {
    [isWatched]?: true;
  };
  if (typeof original !== "function" || original[isWatched]) return;
  const value = Object.assign(watching(original), {
    [isWatched]: true as const,
  });
  Object.defineProperty(owner, name, {
    value,
    configurable: true,
    writable: true,
  });
}

/** One request to a provider, from its start to the end of its answer. */
class Watch {
  readonly #call: ModelCall;
  readonly #answer: Fields = {};
  #pieces = 0;

  constructor(
    readonly operation: Operation,
    fields: Fields,
    readonly otherwise: Fields,
    outer?: Scope,
  ) {
    const given = { kind: operation.kind, ...present(fields) };
    this.#call = new ModelCall("client", given, outer);
  }

  failed(thrown: unknown): void {
    this.#call.end(this.otherwise, { thrown });
  }

  answered(answer: unknown): void {
    quietly(() =>
      this.#call.end({
        ...this.otherwise,
        ...present(this.operation.answered(answer)),
      })
    );
  }

  piece(piece: unknown): void {
    if (
      this.#pieces++ < limits.piecesMax &&
      this.operation.fold(this.#answer, piece)
    ) {
      this.#call.piece();
    }
  }

  /** The last piece was there, or nobody reads on. */
  ended(isWhole: boolean): void {
    quietly(() => {
      const fields = {
        ...this.otherwise,
        ...present(this.operation.answered(this.#answer)),
      };
      const isCut = !isWhole && fields.finish_reason === undefined;
      this.#call.end({
        ...fields,
        ...(isCut && { attributes: { stream: "not read to its end" } }),
      });
    });
  }

  abandoned(): void {
    if (this.#pieces > 0) return this.ended(false);
    this.#call.end({ ...this.otherwise, attributes: { response: "not read" } });
  }

  follow(response: object): void {
    whenAbandoned(response, () => this.abandoned());
    if (
      /event-stream/.test(
        String((response as Response).headers?.get?.("content-type")),
      )
    ) {
      watchBody(response, this);
    } else watchReading(response, this);
  }
}

/** `makeRequest` of clients by Stainless: OpenAI, Anthropic, Groq, Cerebras and others. */
function watchRequest(original: Method): Method {
  return function (this: unknown, ...args) {
    const [options, retriesLeft] = args;
    // A retry is a part of the call that it belongs to.
    if (state.client === null || typeof retriesLeft === "number") {
      return original.apply(this, args);
    }
    const outer = currentScope();
    let watch: Watch | undefined;
    // Ahead of the client's own waiting for them.
    void Promise.resolve(options).then(
      (known) => watch = quietly(() => beginRequest(this, known, outer)),
      () => {},
    );
    return (original.apply(this, args) as Promise<unknown>).then((result) => {
      const response = get(result, "response");
      if (watch !== undefined) quietly(() => watch!.follow(response as object));
      return result;
    }, (thrown: unknown) => {
      watch?.failed(thrown);
      throw thrown;
    });
  };
}

function beginRequest(
  client: unknown,
  options: unknown,
  outer: Scope | undefined,
): Watch | undefined {
  const path = String(get(options, "path") ?? get(options, "url")).replace(
    /[?#].*$/,
    "",
  );
  if (String(get(options, "method")).toLowerCase() !== "post") return undefined;
  for (
    const [library, operations] of [["openai", openai], [
      "anthropic",
      anthropic,
    ]] as const
  ) {
    const ending = Object.keys(operations).find((one) => path === one || path.endsWith(`/${one}`));
    if (ending === undefined) continue;
    const operation = operations[ending]!;
    const body = get(options, "body");
    const isAzure = /Azure/.test(String(get(client, "constructor", "name")));
    const provider = providerOf(
      get(client, "baseURL"),
      isAzure ? "azure" : library,
    );
    return new Watch(
      operation,
      {
        name: `${library}.${operation.name}`,
        provider,
        ...asked(operation, body),
      },
      {},
      outer,
    );
  }
  return undefined;
}

/** As it is now: what was asked may have changed when a streamed answer ends. */
function asked(operation: Operation, body: unknown): Fields {
  return new Snapshot().copy(present(operation.asked(body ?? {}))) as Fields;
}

/** `request` and `requestStream` of Google GenAI's one HTTP client. */
function watchGoogle(original: Method): Method {
  return function (this: unknown, ...args) {
    const watch = state.client === null ? undefined : quietly(() => beginGoogle(args[0]));
    const result = original.apply(this, args);
    if (watch === undefined || !(result instanceof Promise)) return result;
    return result.then((answer) => {
      quietly(() => {
        if (typeof get(answer, "next") === "function") {
          watchPieces(answer, watch);
        } else {watch.follow(
            get(answer, "responseInternal") as object ?? answer,
          );}
      });
      return answer;
    }, (thrown) => {
      watch.failed(thrown);
      throw thrown;
    });
  };
}

function beginGoogle(request: unknown): Watch | undefined {
  const [, address = "", action = ""] = /^([^?]*):(\w+)/.exec(String(get(request, "path"))) ?? [];
  const operation = gemini[action];
  if (operation === undefined) return undefined;
  const body = get(request, "body");
  const model = address.replace(/^.*models\//, "");
  return new Watch(
    operation,
    {
      name: `google.${operation.name}`,
      provider: "google",
      model_requested: model,
      ...asked(operation, typeof body === "string" ? JSON.parse(body) : body),
    },
    { model },
    currentScope(),
  );
}

/** Each piece is an HTTP response of its own, which the client reads as JSON. */
function watchPieces(
  pieces: AsyncIterator<unknown> & object,
  watch: Watch,
): void {
  whenAbandoned(pieces, () => watch.abandoned());
  const next = pieces.next;
  const stop = pieces.return;
  Object.assign(pieces, {
    next(this: unknown, ...args: []) {
      return next.apply(pieces, args).then((result) => {
        if (result.done) watch.ended(true);
        else {quietly(() =>
            watchReading(result.value as object, {
              answered: (piece) => watch.piece(piece),
            })
          );}
        return result;
      }, (thrown) => {
        watch.failed(thrown);
        throw thrown;
      });
    },
    return(this: unknown, ...args: [unknown]) {
      watch.ended(false);
      return stop!.apply(pieces, args);
    },
  });
}
