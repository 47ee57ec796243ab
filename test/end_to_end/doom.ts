// Loaded before the server: it kills its own process, as kill -9 does, at one step of telling what one
// rule has found. The step and the rule are named by the environment.
import { Deliverer } from "../../src/notify/deliver.ts";
import { AlertStore } from "../../src/store/alerts.ts";
import { Outbox } from "../../src/store/alerts/outbox.ts";
import { Watch } from "../../src/watch.ts";

const { DOOM_STEP: step, DOOM_RULE: rule, DOOM_KIND: kind } = process.env;

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

const isDoomed = (one: { rule_id: string; kind: string; channel_id: string | null }) =>
  one.rule_id === rule && one.kind === kind && one.channel_id !== null;

let added = false;
let recorded = false;

const { add, put } = Outbox.prototype;
Outbox.prototype.add = function (delivery, now) {
  add.call(this, delivery, now);
  added ||= isDoomed(delivery);
};
Outbox.prototype.put = function (delivery) {
  put.call(this, delivery);
  recorded ||= isDoomed(delivery);
};

const { commit } = AlertStore.prototype;
AlertStore.prototype.commit = function <T>(work: () => T): T {
  const result = commit.call(this, () => {
    const done = work();
    if (added && step === "before_commit") die();
    if (recorded && step === "before_record") die();
    return done;
  }) as T;
  if (added && step === "after_commit") die();
  if (recorded && step === "after_record") die();
  return result;
};

const { tell } = Deliverer.prototype;
Deliverer.prototype.tell = async function (channel_id, notification) {
  const isIt = notification.rule.id === rule && notification.kind === kind;
  if (isIt && step === "before_send") die();
  const sent = tell.call(this, channel_id, notification);
  if (isIt && step === "while_sending") die();
  const outcome = await sent;
  if (isIt && step === "after_send") die();
  return outcome;
};

const { tick } = Watch.prototype;
let ticks = 0;
Watch.prototype.tick = function () {
  const done = tick.call(this);
  // The question is under way: nothing of it is decided yet.
  if (step === "while_asking" && ++ticks > 1) die();
  return done;
};
