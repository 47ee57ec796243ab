// `/settings/prices`: models without a price, the project's own prices, and the list that this build
// carries.
import { useState } from "preact/hooks";
import { api, type CustomPrice, type Price, type Unpriced } from "../api.ts";
import { useAsk } from "../parts/ask.ts";
import { ago, dollars, exact, moment, nothing, plural, unknown } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { icon } from "../parts/icons.ts";
import { Problem, Skeleton } from "../parts/notice.ts";
import { SettingsTabs } from "../parts/settings_tabs.ts";
import { canAdmin, now, project, scope } from "../parts/state.ts";

const listedAtOnce = 30;
const searchDelayMs = 200;

/** Kinds of tokens that the form asks for; the API knows more. */
const asked = [
  ["input", "Input"],
  ["output", "Output"],
  ["cache_read", "Cache read"],
  ["cache_write", "Cache write"],
] as const;

export function PricesPage(): View {
  const project_id = project.value;
  const own = useAsk(`own ${project_id}`, (signal) => api.prices({ project_id, limit: 1 }, signal));
  const [draft, setDraft] = useState<Draft | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const custom = own.data?.custom ?? [];

  const save = async (prices: CustomPrice[]) => {
    setProblem(null);
    try {
      await api.setPrices(prices, { project_id });
      setDraft(null);
      own.again();
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const setPriceOf = ({ model, provider }: Unpriced) =>
    setDraft({ at: null, match: model ?? "", provider: provider ?? "", valid_from: "", usd: {} });

  return html`
    <div class="settings">
      <h1 class="unseen">Prices</h1>
      <${SettingsTabs} />
      <${UnpricedModels} set=${canAdmin.value ? setPriceOf : null} />
      <section>
          <h2>Prices of this project</h2>
          <p class="dim">They come before the list below, for calls that are sent from now on. History keeps its
            costs until <code>watchllm reprice</code> is asked to work them out anew.</p>
          ${own.error === null ? null : html`<${Problem} reason=${own.error} again=${own.again} />`}
          ${custom.length === 0 ? null : html`
            <${OwnPrices} prices=${custom} change=${canAdmin.value ? change : null} />
          `}
          ${problem === null ? null : html`<p class="notice-problem" role="alert">${problem}</p>`}
          ${draft !== null
            ? html`<${PriceForm} draft=${draft} cancel=${() => setDraft(null)} save=${(
              price: CustomPrice,
            ) =>
              save(
                draft.at === null
                  ? [...custom, price]
                  : custom.map((other, at) => at === draft.at ? price : other),
              )} />`
            : canAdmin.value
            ? html`<button type="button" onClick=${() => setDraft(emptyDraft)}>Add a price</button>`
            : null}
        </section>
      <${PriceList} />
    </div>
  `;

  function change(at: number, what: "edit" | "remove"): void {
    if (what === "remove") void save(custom.filter((_, other) => other !== at));
    else setDraft(draftOf(custom[at]!, at));
  }
}

function UnpricedModels({ set }: { set: ((model: Unpriced) => void) | null }): View {
  const query = { ...scope.value, limit: 100 };
  const { data, error, again } = useAsk(
    JSON.stringify(query),
    (signal) => api.unpriced(query, signal),
  );
  if (error !== null) return html`<${Problem} reason=${error} again=${again} />`;
  if (data === null) return html`<${Skeleton} rows=${2} />`;
  return html`
    <section>
      <h2>Calls without a cost</h2>
      ${data.models.length === 0
        ? html`<p class="dim">Every model call with tokens has a cost in this range of time.</p>`
        : html`
          <div class="table-box" tabindex="0" role="region" aria-label="Models without a price">
            <table>
              <thead>
                <tr>
                  <th scope="col">Model</th>
                  <th scope="col">Provider</th>
                  <th scope="col" class="num">Calls</th>
                  <th scope="col" class="num">Tokens in</th>
                  <th scope="col" class="num">Tokens out</th>
                  <th scope="col">Last seen</th>
                  ${set === null ? null : html`<th><span class="unseen">Change</span></th>`}
                </tr>
              </thead>
              <tbody>${data.models.map((row) =>
                html`
                  <tr key=${`${row.provider} ${row.model}`}>
                    <td>${row.model ?? html`<span class="dim">no name</span>`}</td>
                    <td>${row.provider ?? nothing}</td>
                    <td class="num">${exact(row.calls)}</td>
                    <td class="num">${exact(row.tokens_input)}</td>
                    <td class="num">${exact(row.tokens_output)}</td>
                    <td title=${moment(row.last_seen)}>${ago(row.last_seen, now.value)}</td>
                    ${set === null ? null : html`
                      <td class="row-tools">${row.model === null
                        ? null
                        : html`<button type="button" onClick=${() =>
                          set(row)}>Set a price</button>`}</td>
                    `}
                  </tr>
                `
              )}</tbody>
            </table>
          </div>
        `}
    </section>
  `;
}

type Change = (at: number, what: "edit" | "remove") => void;

function OwnPrices({ prices, change }: { prices: CustomPrice[]; change: Change | null }): View {
  return html`
    <div class="table-box" tabindex="0" role="region" aria-label="Prices of this project">
      <table>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Provider</th>
            <th scope="col">From</th>
            ${asked.map(([kind, word]) =>
              html`<th key=${kind} scope="col" class="num">${word}</th>`
            )}
            ${change === null ? null : html`<th><span class="unseen">Change</span></th>`}
          </tr>
        </thead>
        <tbody>${prices.map((price, at) =>
          html`
            <tr key=${at}>
              <td><code>${price.match}</code></td>
              <td>${price.provider ?? "any"}</td>
              <td>${price.valid_from ?? "ever"}</td>
              ${asked.map(([kind]) =>
                html`<td key=${kind} class="num">${perMillion(price.per_million[kind])}</td>`
              )}
              ${change === null ? null : html`
                <td class="row-tools">
                  <button type="button" class="quiet" onClick=${() =>
                    change(at, "edit")}>Edit</button>
                  <button type="button" class="quiet" aria-label=${`Remove the price of ${price.match}`}
                    onClick=${() => change(at, "remove")}>${icon("close")}</button>
                </td>
              `}
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}

interface Draft {
  /** Place in the list; null for a new one. */
  at: number | null;
  match: string;
  provider: string;
  valid_from: string;
  /** As typed. */
  usd: Partial<Record<string, string>>;
  /** What the form does not show, kept as it was. */
  rest?: Partial<CustomPrice>;
}

const emptyDraft: Draft = { at: null, match: "", provider: "", valid_from: "", usd: {} };

function draftOf(
  { match, provider, valid_from, per_million, ...rest }: CustomPrice,
  at: number,
): Draft {
  const usd = Object.fromEntries(
    Object.entries(per_million).flatMap(([kind, price]) =>
      price == null ? [] : [[kind, String(price)]]
    ),
  );
  return { at, match, provider: provider ?? "", valid_from: valid_from ?? "", usd, rest };
}

function PriceForm(
  { draft: first, save, cancel }: {
    draft: Draft;
    save: (price: CustomPrice) => void;
    cancel: () => void;
  },
): View {
  const [draft, setDraft] = useState(first);
  const submit = (event: Event) => {
    event.preventDefault();
    const usd = Object.entries(draft.usd).filter(([, typed]) =>
      typed !== undefined && typed !== ""
    );
    save({
      ...draft.rest,
      match: draft.match.trim(),
      ...(draft.provider.trim() === "" ? {} : { provider: draft.provider.trim() }),
      ...(draft.valid_from === "" ? {} : { valid_from: draft.valid_from }),
      per_million: Object.fromEntries(usd.map(([kind, typed]) => [kind, Number(typed)])),
    });
  };
  const typed = (event: Event) => (event.target as HTMLInputElement).value;
  const text = (name: "match" | "provider", label: string, hint: string, required = false) =>
    html`<label>${label}<input value=${draft[name]} placeholder=${hint} required=${required}
      autocapitalize="off" autocomplete="off" spellcheck=${false}
      onInput=${(event: Event) => setDraft({ ...draft, [name]: typed(event) })} /></label>`;
  return html`
    <form class="price-form" onSubmit=${submit} aria-label="A price">
      ${text("match", "Model, * for anything", "my-model-*", true)}
      ${text("provider", "Provider", "any")}
      <label>From, UTC<input type="date" value=${draft.valid_from} onInput=${(event: Event) =>
        setDraft({ ...draft, valid_from: typed(event) })} /></label>
      <fieldset>
        <legend>US dollars for a million tokens</legend>
        ${asked.map(([kind, word]) =>
          html`<label key=${kind}>${word}<input type="number" min="0" step="any" inputmode="decimal"
        value=${draft.usd[kind] ?? ""} required=${
            kind === "input" && (draft.usd.output ?? "") === ""
          }
        onInput=${(event: Event) =>
            setDraft({ ...draft, usd: { ...draft.usd, [kind]: typed(event) } })} /></label>`
        )}
      </fieldset>
      <div class="form-end">
        <button type="submit" class="primary">Save</button>
        <button type="button" onClick=${cancel}>Cancel</button>
      </div>
    </form>
  `;
}

function PriceList(): View {
  const project_id = project.value;
  const [typed, setTyped] = useState("");
  const [q, setQ] = useState("");
  const [limit, setLimit] = useState(listedAtOnce);
  const query = { project_id, q, limit };
  const { data, error, again } = useAsk(
    JSON.stringify(query),
    (signal) => api.prices(query, signal),
  );
  const [timer, setTimer] = useState<ReturnType<typeof setTimeout>>();
  const search = (text: string) => {
    setTyped(text);
    clearTimeout(timer);
    setTimer(setTimeout(() => {
      setQ(text.trim());
      setLimit(listedAtOnce);
    }, searchDelayMs));
  };
  return html`
    <section>
      <h2>Price list</h2>
      <p class="dim">US dollars for a million tokens, at the price of today. A call is priced by the day on which it was made.</p>
      <input type="search" class="price-search" aria-label="Find a model" placeholder="Find a model"
        value=${typed} onInput=${(event: Event) =>
          search((event.target as HTMLInputElement).value)} />
      ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
      ${data === null ? html`<${Skeleton} rows=${6} />` : html`
        <div class="table-box" tabindex="0" role="region" aria-label="Price list">
          <table>
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col">Provider</th>
                ${asked.map(([kind, word]) =>
                  html`<th key=${kind} scope="col" class="num">${word}</th>`
                )}
                <th scope="col">Source</th>
              </tr>
            </thead>
            <tbody>${data.prices.map((card) =>
              html`<${Card} key=${card.price} card=${card} />`
            )}</tbody>
          </table>
        </div>
        ${data.total > data.prices.length
          ? html`<button type="button" class="load-more" onClick=${() =>
            setLimit(Math.min(500, limit + 100))}>${
            plural(data.total - data.prices.length, "more model")
          }</button>`
          : null}
      `}
    </section>
  `;
}

function Card({ card }: { card: Price }): View {
  const today = new Date(now.value).toISOString().slice(0, 10);
  const period = card.periods.findLast(({ valid_from }) =>
    valid_from === null || valid_from <= today
  );
  const base =
    period?.prices.find(({ service, context_above }) => service === "" && context_above === 0) ??
      period?.prices[0];
  const more = (period?.prices.length ?? 0) - 1;
  return html`
    <tr>
      <td title=${card.match}>${card.price}${more > 0
        ? html`<span class="dim" title="Other prices for long contexts and service tiers"> +${more}</span>`
        : null}</td>
      <td>${card.provider ?? "any"}</td>
      ${asked.map(([kind]) =>
        html`<td key=${kind} class="num">${
          base === undefined ? unknown : perMillion(base.per_million[kind])
        }</td>`
      )}
      <td class="dim">${card.source}</td>
    </tr>
  `;
}

function perMillion(usd: number | null | undefined): string {
  return usd == null ? nothing : dollars(usd);
}
