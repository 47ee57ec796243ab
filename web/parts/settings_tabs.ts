// The head of every page below /settings: what can be set, one address each.
import { linkTo, path } from "./address.ts";
import { html, type View } from "./html.ts";

const tabs = [
  ["/settings/prices", "Prices"],
  ["/settings/privacy", "Privacy"],
  ["/settings/data", "Data"],
] as const;

export function SettingsTabs(): View {
  return html`
    <div class="tabs" role="tablist" aria-label="Settings">${tabs.map(([place, word]) =>
      html`<a key=${place} role="tab" href=${linkTo(place)} aria-selected=${
        path.value === place
      }>${word}</a>`
    )}</div>
  `;
}
