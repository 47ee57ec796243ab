// Takes from the outbox what is due and delivers it; tries again until it is delivered or a day has
// passed. Told at least once: a crash between the receiver's answer and ours to the disk tells twice,
// with the same delivery id.
import type { Clock } from "../std/clock.ts";
import type { AlertStore } from "../store/alerts.ts";
import type { Delivery } from "../store/alerts/outbox.ts";
import { CannotUnseal, type Seal } from "../store/alerts/seal.ts";
import { type Checked, checkedAddress, type Resolve } from "./address.ts";
import type { Notification, Outcome, Settings, Transport } from "./channel.ts";
import { kindOf } from "./channels.ts";
import { type Message, withMessage } from "./message.ts";
import { failure, post } from "./post.ts";

export interface DeliverOptions {
  store: AlertStore;
  seal: Seal;
  /** Stores an event of a project; deliveries without a channel. */
  record(project_id: string, event: Record<string, unknown>): Promise<Outcome>;
  clock: Clock;
  /** From 0 up to 1; spreads what fails together. */
  random(): number;
  allowInside: boolean;
  resolve: Resolve;
  timeoutMs: number;
  /** Certificates to trust beside the system's, as PEM; for tests. */
  ca?: string;
  onError(what: string, error: unknown): void;
  /** Called before and after what a crash may come between; for tests. */
  onStep?(step: DeliverStep): void;
}

export type DeliverStep = "before_send" | "after_send" | "after_record";

/** Channels that are told at the same time; each has one delivery under way. */
const channelsAtOnceMax = 16;
const dueMax = 1000;
const firstRetryMs = 1000;
const retryMsMax = 5 * 60_000;
/** A receiver that says "no" is asked for some minutes, one that fails for a day. */
const refusedAttemptsMax = 10;
const givenUpAfterMs = 24 * 60 * 60_000;
/** Nothing waits longer, unless the clock was set back. */
const waitMsMax = 2 * 60 * 60_000;
const idleMs = 30_000;
const stopMsMax = 2000;

export class Deliverer {
  #options: DeliverOptions;
  #underWay = new Map<string, Promise<void>>();
  /** Told, but the disk did not take it: it is not told again while we live. */
  #unrecorded = new Map<string, Outcome>();
  /** Channels whose attempt failed in here rather than out there, and until when they rest. */
  #resting = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;
  #isClosed = false;

  constructor(options: DeliverOptions) {
    this.#options = options;
  }

  /** Looks for what is due now, and from then on by itself. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    try {
      this.#startDue();
      this.#timer = setTimeout(() => this.wake(), this.#untilNextMs());
    } catch (error) {
      this.#options.onError("reading what is to be delivered", error);
      this.#timer = setTimeout(() => this.wake(), idleMs);
    }
  }

  /** Resolves when nothing is under way and nothing is due. */
  async settle(): Promise<void> {
    this.wake();
    while (this.#underWay.size > 0) {
      await Promise.all(this.#underWay.values());
      this.wake();
    }
  }

  /** What hangs is left; it is still in the outbox. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, stopMsMax);
    await Promise.race([Promise.all(this.#underWay.values()), promise]);
    clearTimeout(timer);
    this.#isClosed = true;
  }

  #startDue(): void {
    if (this.#underWay.size >= channelsAtOnceMax) return;
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    for (const delivery of store.outbox.due(iso(nowMs), iso(nowMs + waitMsMax), dueMax)) {
      const lane = delivery.channel_id ?? `events of ${delivery.project_id}`;
      if (this.#underWay.has(lane) || (this.#resting.get(lane) ?? 0) > performance.now()) continue;
      if (this.#underWay.size >= channelsAtOnceMax) return;
      const attempt = this.#attempt(delivery)
        .catch((error) => {
          this.#resting.set(lane, performance.now() + idleMs);
          this.#options.onError("delivering a notification", error);
        })
        .finally(() => {
          this.#underWay.delete(lane);
          this.wake();
        });
      this.#underWay.set(lane, attempt);
    }
  }

  #untilNextMs(): number {
    const next = this.#options.store.outbox.nextAt();
    if (next === null) return idleMs;
    const ms = Date.parse(next) - this.#options.clock.nowMs();
    // What is due but not started waits for its channel, whose end wakes us.
    return Math.min(Math.max(ms, firstRetryMs), idleMs);
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const { store, clock, onStep } = this.#options;
    onStep?.("before_send");
    const outcome = this.#unrecorded.get(delivery.id) ?? await this.#send(delivery);
    this.#unrecorded.set(delivery.id, outcome);
    onStep?.("after_send");
    // The server is gone by now; the next one tells again.
    if (this.#isClosed) return;
    const nowMs = clock.nowMs();
    const attempts = delivery.attempts + 1;
    store.commit(() => {
      // It may have been cancelled while it was under way.
      if (store.outbox.get(delivery.id)?.status !== "waiting") return;
      store.outbox.put({
        ...delivery,
        attempts,
        ...this.#after(delivery, attempts, outcome, nowMs),
      });
    });
    this.#unrecorded.delete(delivery.id);
    onStep?.("after_record");
  }

  #after(delivery: Delivery, attempts: number, outcome: Outcome, nowMs: number) {
    if (outcome.ok) {
      return {
        status: "delivered" as const,
        next_attempt_at: null,
        last_error: null,
        last_status: outcome.status,
        finished_at: iso(nowMs),
      };
    }
    const told = { last_error: outcome.message, last_status: outcome.status };
    const isOver = outcome.permanent ||
      (isRefusal(outcome.status) && attempts >= refusedAttemptsMax) ||
      nowMs - Date.parse(delivery.created_at) > givenUpAfterMs;
    if (isOver) {
      return { ...told, status: "failed" as const, next_attempt_at: null, finished_at: iso(nowMs) };
    }
    const backoffMs = Math.min(firstRetryMs * 2 ** Math.min(attempts - 1, 20), retryMsMax);
    const jitteredMs = backoffMs * (0.5 + this.#options.random() / 2);
    const waitMs = Math.max(jitteredMs, (outcome.retryAfterS ?? 0) * 1000);
    return {
      ...told,
      status: "waiting" as const,
      next_attempt_at: iso(nowMs + waitMs),
      finished_at: null,
    };
  }

  async #send(delivery: Delivery): Promise<Outcome> {
    if (delivery.channel_id === null) {
      return await this.#options.record(
        delivery.project_id,
        structuredClone(delivery.body) as Record<string, unknown>,
      );
    }
    return await this.tell(delivery.channel_id, delivery.body as Notification);
  }

  /** One attempt, now; for a test of a channel too. */
  async tell(channel_id: string, notification: Notification): Promise<Outcome> {
    const channel = this.#options.store.channels.get(channel_id);
    const kind = channel === null ? null : kindOf(channel.type);
    if (channel === null || kind === null) {
      return failure("not_configured", "The channel is gone.", { permanent: true });
    }
    let secrets: Record<string, unknown>;
    try {
      secrets = channel.sealed === null ? {} : this.#options.seal.open(channel.sealed, channel.id);
    } catch (error) {
      if (!(error instanceof CannotUnseal)) throw error;
      return failure("not_configured", error.message, { permanent: true });
    }
    const { message, ...config } = channel.config as Settings & { message?: Message };
    const told = withMessage(notification, message);
    return await kind.send({ ...config, ...secrets }, told, this.#transport());
  }

  #transport(): Transport {
    const { clock, allowInside, resolve, timeoutMs, ca } = this.#options;
    const options = { allowInside, resolve, timeoutMs, ...(ca === undefined ? {} : { ca }) };
    return {
      post: (request) => post(request, options),
      resolve: async (host) => told(await checkedAddress(host, options)),
      nowMs: () => clock.nowMs(),
    };
  }
}

function told(checked: Checked) {
  if ("address" in checked) return checked;
  const isRefused = checked.problem === "refused";
  return failure(isRefused ? "address_refused" : "unreachable", checked.message, {
    permanent: isRefused,
  });
}

/** The receiver understood, and does not want it. */
function isRefusal(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
