// A choice among a few, with its label beside it.
import { html, type View } from "./html.ts";

export function Pick(
  { label, value, choices, choose }: {
    label: string;
    value: string;
    choices: readonly (readonly [value: string, word: string])[];
    choose: (value: string) => void;
  },
): View {
  return html`
    <label
      class="pick"><span class="dim">${label}</span><select value=${value} onChange=${(
        event: Event,
      ) => choose((event.target as HTMLSelectElement).value)}>${choices.map(([choice, word]) =>
        html`<option key=${choice} value=${choice} selected=${choice === value}>${word}</option>`
      )}</select></label>
  `;
}
