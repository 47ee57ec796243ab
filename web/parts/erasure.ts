// Somebody erased, or their data handed out: what is asked for, looked at first; and the record.
import { useState } from "preact/hooks";
import { api, type Erasure, type ErasureLook, exportPath } from "../api.ts";
import { exact, moment, nothing, plural } from "./format.ts";
import { html, type View } from "./html.ts";
import { project } from "./state.ts";

const kinds = [
  ["user_id", "User"],
  ["session_id", "Session"],
  ["run_id", "Run"],
  ["event_id", "Event"],
] as const;
type Kind = (typeof kinds)[number][0];

export function ErasureForm({ done }: { done: () => void }): View {
  const [kind, setKind] = useState<Kind>("user_id");
  const [id, setId] = useState("");
  const [look, setLook] = useState<ErasureLook | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const asked = { project_id: project.value, [kind]: id };
  const attempt = async (work: () => Promise<void>) => {
    setProblem(null);
    setBusy(true);
    try {
      await work();
    } catch (error) {
      setProblem((error as Error).message);
    }
    setBusy(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void attempt(async () => {
      const [found] = (await api.lookErasure(asked)).would_erase;
      setLook(found ?? null);
    });
  };
  const erase = () =>
    attempt(async () => {
      await api.erase(asked);
      setLook(null);
      setId("");
      done();
    });
  return html`
    <form aria-label="Erase or export" onSubmit=${submit}>
      <section>
        <h2>Erase or export</h2>
        <p class="dim">Everything of a user, also rows without a user in runs that are theirs; or of one session, run or
          event. What is erased is gone from every file of the server, and from nothing else: backups and other
          systems keep theirs. What is received later is not touched.</p>
        <div class="data-row">
          <label>What<select value=${kind} onChange=${(event: Event) => {
            setLook(null);
            setKind((event.target as HTMLSelectElement).value as Kind);
          }}>${kinds.map(([name, word]) =>
            html`<option key=${name} value=${name}>${word}</option>`
          )}</select></label>
          <label>Its id<input required maxlength="128" autocomplete="off" value=${id} onInput=${(
            event: Event,
          ) => {
            setLook(null);
            setId((event.target as HTMLInputElement).value);
          }} /></label>
        </div>
        ${problem === null ? null : html`<p class="notice-problem" role="alert">${problem}</p>`}
        ${look === null ? null : html`<p role="status">${foundText(look)}</p>`}
        <div class="form-end">
          ${look === null
            ? html`<button type="submit" disabled=${busy || id === ""}>Look</button>`
            : html`
              <a class="button" href=${exportPath(asked)} download="export.ndjson">Export</a>
              <button type="button" class="primary" disabled=${busy}
                onClick=${erase}>Erase for good</button>
              <button type="button" onClick=${() => setLook(null)}>Cancel</button>
            `}
        </div>
      </section>
    </form>
  `;
}

function foundText({ events, points, pieces }: ErasureLook): string {
  return [
    plural(events, "event"),
    plural(points, "data point"),
    ...pieces === 0 ? [] : [plural(pieces, "unfinished piece")],
  ].join(", ") + ".";
}

export function ErasureList({ erasures }: { erasures: readonly Erasure[] }): View {
  return html`
    <section>
      <h2>The record</h2>
      <p
        class="dim">Prove one by <code>watchllm erase verify</code> and its id: it reads every file again.</p>
      <div class="table-box" tabindex="0" role="region" aria-label="Erasures">
        <table>
          <thead>
            <tr>
              <th scope="col">Asked</th>
              <th scope="col">What</th>
              <th scope="col">State</th>
              <th scope="col" class="num">Events</th>
              <th scope="col" class="num">Files written anew</th>
              <th scope="col">Done</th>
              <th scope="col">Id</th>
            </tr>
          </thead>
          <tbody>${erasures.map((one) =>
            html`
              <tr key=${one.id}>
                <td>${moment(one.requested_at)}</td>
                <td>${one.kind} <code>${one.subject}</code></td>
                <td title=${one.message ?? ""}>${one.message === null
                  ? one.state
                  : "is tried again"}</td>
                <td class="num">${exact(one.counts.events)}</td>
                <td class="num">${exact(one.counts.files_rewritten)}</td>
                <td>${one.ended_at === null ? nothing : moment(one.ended_at)}</td>
                <td><code>${one.id}</code></td>
              </tr>
            `
          )}</tbody>
        </table>
      </div>
    </section>
  `;
}
