// What an event cost, by the prices of its project: custom ones first, then the embedded table.
import type { Event } from "../event.ts";
import { type Card, standardTier } from "./card.ts";
import { type CustomPrice, CustomPrices, customPricesSchema } from "./custom.ts";
import { type Note, type Quote, quoteBy, serviceTierOf, type UnpricedReason } from "./quote.ts";
import { Resolver } from "./resolve.ts";
import { embeddedTable } from "./table.ts";
import { bucketsOf, type TokenCounts } from "./usage.ts";

/** Name of the setting that holds a project's own prices. */
export const customPricesSetting = "prices";

/** What decides a price. */
export type Call =
  & TokenCounts
  & Pick<
    Event,
    "model" | "model_requested" | "model_version" | "provider" | "service_tier" | "timestamp"
  >;

/** Names that are remembered; twice as many at most. Hostile names push others out, and no more. */
const namesMax = 2048;

/** Longer keys are looked up anew each time: few names are that long, and none of them is known. */
const keyCharactersMax = 512;
/** Projects with prices of their own that are kept ready. */
const pricersMax = 256;

interface Candidate {
  card: Card;
  notes: readonly Note[];
}

/** In the order in which they are tried: a custom price may begin later than the call. */
type Hit = readonly Candidate[];

const none: Hit = [];

export class Pricer {
  /** The project's own prices, as they were set. */
  readonly customPrices: readonly CustomPrice[];
  #custom: CustomPrices;
  #resolver: Resolver;
  #young = new Map<string, Hit>();
  #old = new Map<string, Hit>();

  constructor(resolver: Resolver, custom: readonly CustomPrice[]) {
    this.#resolver = resolver;
    this.customPrices = custom;
    this.#custom = new CustomPrices(custom);
  }

  /**
   * Sets `cost_estimate_usd` and `cost_details` of a call with a known price. An estimate that the
   * producer sent stands, and what nobody knows stays null.
   */
  price(event: Event): void {
    if (event.event_type !== "prompt_call" || event.cost_estimate_usd !== undefined) return;
    const quote = this.quote(event);
    if (typeof quote === "string") return;
    event.cost_estimate_usd = quote.usd;
    event.cost_details = quote.details as unknown as Record<string, unknown>;
  }

  /** The cost of a call, or why there is none. */
  quote(call: Call): Quote | UnpricedReason {
    const buckets = bucketsOf(call);
    if (buckets === null) return "no_tokens";
    const { model, model_requested } = call;
    if (model === undefined && model_requested === undefined) return "no_model";
    const tier = call.service_tier === undefined ? standardTier : serviceTierOf(call.service_tier);
    let reason: UnpricedReason = "unknown_model";
    for (const { card, notes } of this.#hit(call)) {
      const quote = quoteBy(card, buckets, call.timestamp, tier, notes);
      if (typeof quote !== "string") return quote;
      reason = quote;
    }
    return reason;
  }

  get custom(): CustomPrices["cards"] {
    return this.#custom.cards;
  }

  #hit(call: Call): Hit {
    const { model = "", model_requested = "", provider = "", model_version = "" } = call;
    const key = `${provider}\n${model}\n${model_requested}\n${model_version}`;
    if (key.length > keyCharactersMax) return this.#find(call);
    let hit = this.#young.get(key);
    if (hit !== undefined) return hit;
    hit = this.#old.get(key);
    if (hit === undefined) hit = this.#find(call);
    if (this.#young.size >= namesMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, hit);
    return hit;
  }

  #find({ model, model_requested, model_version, provider }: Call): Hit {
    if (model !== undefined) {
      // A dated version may have a price of its own.
      const dated = model_version !== undefined && /^\d{4}-?\d{2}-?\d{2}$/.test(model_version)
        ? this.#named(provider, `${model}-${model_version}`, [])
        : none;
      const hit = dated.length > 0 ? dated : this.#named(provider, model, []);
      if (hit.length > 0) return hit;
    }
    if (model_requested === undefined || model_requested === model) return none;
    return this.#named(provider, model_requested, ["priced_by_model_requested"]);
  }

  #named(provider: string | undefined, model: string, notes: readonly Note[]): Hit {
    const hit: Candidate[] = [];
    const custom = this.#custom.find(provider, model);
    if (custom !== null) hit.push({ card: custom, notes });
    const found = this.#resolver.resolve(provider, model);
    // A card without a price says that the model is known to have none.
    if (found !== null && found.card.periods.length > 0) {
      const told: readonly Note[] = found.elsewhere ? [...notes, "provider_ignored"] : notes;
      hit.push({ card: found.card, notes: told });
    }
    return hit;
  }
}

/** The prices of all projects. */
export class Prices {
  #settingOf: (project_id: string) => unknown;
  #resolver: Resolver | null = null;
  #pricers = new Map<string, { setting: unknown; pricer: Pricer }>();
  #plain: Pricer | null = null;

  /** `settingOf` gives a project's custom prices as they were stored; the same object until set anew. */
  constructor(settingOf: (project_id: string) => unknown) {
    this.#settingOf = settingOf;
  }

  get resolver(): Resolver {
    return this.#resolver ??= new Resolver(embeddedTable());
  }

  of(project_id: string): Pricer {
    const setting = this.#settingOf(project_id) ?? null;
    if (setting === null) {
      this.#pricers.delete(project_id);
      return this.#plain ??= new Pricer(this.resolver, []);
    }
    const known = this.#pricers.get(project_id);
    if (known !== undefined && known.setting === setting) return known.pricer;
    // It was checked when it was set; what an older version set may be of another form.
    const { data = [] } = customPricesSchema.safeParse(setting);
    const pricer = new Pricer(this.resolver, data);
    if (this.#pricers.size >= pricersMax) this.#pricers.clear();
    this.#pricers.set(project_id, { setting, pricer });
    return pricer;
  }
}
