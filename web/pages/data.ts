// `/settings/data`: how long events are kept, what went because of it, and people who are erased or
// whose data is handed out.
import { useEffect, useState } from "preact/hooks";
import { api, type Retention } from "../api.ts";
import { useAsk } from "../parts/ask.ts";
import { ErasureForm, ErasureList } from "../parts/erasure.ts";
import { bytes, exact, moment, plural } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { Problem, Skeleton } from "../parts/notice.ts";
import { SettingsTabs } from "../parts/settings_tabs.ts";
import { canAdmin, project } from "../parts/state.ts";

const pollMs = 1500;
const daysMax = 36_500;

export function DataPage(): View {
  const project_id = project.value;
  const kept = useAsk(
    `retention ${project_id}`,
    (signal) => api.retention({ project_id }, signal),
  );
  return html`
    <div class="settings">
      <h1 class="unseen">Data</h1>
      <${SettingsTabs} />
      ${kept.error !== null
        ? html`<${Problem} reason=${kept.error} again=${kept.again} />`
        : kept.data === null
        ? html`<${Skeleton} rows=${4} />`
        : html`
          <${Keeping} key=${JSON.stringify(kept.data.environments) + kept.data.days}
            retention=${kept.data} again=${kept.again} />
          <${Disk} retention=${kept.data} />
          <${Dropped} retention=${kept.data} />
        `}
      ${canAdmin.value ? html`<${Erasing} />` : null}
    </div>
  `;
}

interface Typed {
  days: string;
  environments: [name: string, days: string][];
}

function Keeping({ retention, again }: { retention: Retention; again: () => void }): View {
  const [typed, setTyped] = useState<Typed>(() => typedOf(retention));
  const [would, setWould] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const mayChange = canAdmin.value;
  const isChanged = JSON.stringify(typed) !== JSON.stringify(typedOf(retention));
  const change = (next: Typed) => {
    setWould(null);
    setTyped(next);
  };
  const put = async (dry_run: boolean) => {
    setProblem(null);
    try {
      const setting = settingOf(typed);
      const query = { project_id: project.value };
      const { would_drop_events } = await api.setRetention({ ...setting, dry_run }, query);
      if (!dry_run || would_drop_events === 0) {
        if (dry_run) await api.setRetention({ ...setting, dry_run: false }, query);
        setWould(null);
        again();
      } else setWould(would_drop_events);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const setAt = (at: number, pair: [string, string] | null) =>
    change({
      ...typed,
      environments: typed.environments.flatMap((other, place) =>
        place !== at ? [other] : pair === null ? [] : [pair]
      ),
    });
  const isSure = would !== null;
  return html`
    <form aria-label="Retention" onSubmit=${(event: Event) => {
      event.preventDefault();
      // What would go is told before it does.
      void put(!isSure);
    }}>
      <fieldset class="bare" disabled=${!mayChange}>
        <section>
          <h2>How long events are kept</h2>
          <p class="dim">Whole days of UTC, for events and metrics. 0 is for ever. What is older is deleted and does not
            come back.</p>
          <div class="data-row">
            <label>Days<input type="number" min="0" max=${daysMax} value=${typed
              .days} placeholder=${`${retention.default_days}, the server's own`}
              onInput=${(event: Event) => change({ ...typed, days: valueOf(event) })} /></label>
          </div>
          ${typed.environments.map(([name, days], at) =>
            html`
              <div class="data-row" key=${at}>
                <label>Environment<input required value=${name} onInput=${(event: Event) =>
                  setAt(at, [valueOf(event), days])} /></label>
                <label>Days<input type="number" required min="0" max=${daysMax} value=${days}
                  onInput=${(event: Event) => setAt(at, [name, valueOf(event)])} /></label>
                <button type="button" onClick=${() => setAt(at, null)}>Remove ${name}</button>
              </div>
            `
          )}
          ${mayChange
            ? html`<button type="button" onClick=${() =>
              change({
                ...typed,
                environments: [...typed.environments, ["", ""]],
              })}>Add an environment</button>`
            : null}
        </section>
        ${problem === null ? null : html`<p class="notice-problem" role="alert">${problem}</p>`}
        ${isSure
          ? html`
            <p class="notice-problem"
              role="alert">${plural(would, "event")} older than that will be deleted.</p>
          `
          : null}
        ${mayChange && isChanged
          ? html`
            <div class="form-end">
              <button type="submit" class="primary">${isSure
                ? "Save, and delete them"
                : "Save"}</button>
              <button type="button" onClick=${() =>
                change(typedOf(retention))}>Discard changes</button>
            </div>
          `
          : null}
      </fieldset>
    </form>
  `;
}

function Disk({ retention: { disk } }: { retention: Retention }): View {
  if (disk === null || disk.bytes_max === 0) return null;
  return html`
    <section>
      <h2>Room on the disk</h2>
      <p class=${disk.is_over ? "problem" : "dim"}>All data takes ${bytes(
        disk.bytes,
      )} of the ${bytes(disk.bytes_max)} that it may.
        ${disk.is_over
          ? "Only today's is left, so nothing more is deleted."
          : "Beyond it the oldest days are deleted first."}</p>
    </section>
  `;
}

function Dropped({ retention: { dropped } }: { retention: Retention }): View {
  if (dropped.length === 0) return null;
  return html`
    <section>
      <h2>What was deleted</h2>
      <div class="table-box" tabindex="0" role="region" aria-label="What was deleted">
        <table>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col" class="num">Rows</th>
              <th scope="col" class="num">Size</th>
              <th scope="col">Why</th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>${dropped.map((one) =>
            html`
              <tr key=${one.dropped_at + one.date}>
                <td>${one.date}</td>
                <td class="num">${exact(one.rows)}</td>
                <td class="num">${bytes(one.bytes)}</td>
                <td>${one.reason === "retain" ? "too old" : "the disk was to hold less"}</td>
                <td>${moment(one.dropped_at)}</td>
              </tr>
            `
          )}</tbody>
        </table>
      </div>
    </section>
  `;
}

function Erasing(): View {
  const project_id = project.value;
  const { data, error, again } = useAsk(
    `erasures ${project_id}`,
    (signal) => api.erasures({ project_id }, signal),
  );
  const isUnderWay = data?.erasures.some(({ state }) => state !== "done") ?? false;
  useEffect(() => {
    if (!isUnderWay) return;
    const timer = setTimeout(again, pollMs);
    return () => clearTimeout(timer);
  }, [data]);
  return html`
    <${ErasureForm} done=${again} />
    ${error !== null ? html`<${Problem} reason=${error} again=${again} />` : null}
    ${data === null || data.erasures.length === 0
      ? null
      : html`<${ErasureList} erasures=${data.erasures} />`}
  `;
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement).value;
}

function typedOf({ days, environments }: Retention): Typed {
  return {
    days: days === null ? "" : String(days),
    environments: Object.entries(environments).map(([name, days]) => [name, String(days)]),
  };
}

function settingOf({ days, environments }: Typed) {
  return {
    days: days === "" ? null : Number(days),
    environments: Object.fromEntries(environments.map(([name, days]) => [name, Number(days)])),
  };
}
