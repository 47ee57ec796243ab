// Asks for a key when the server knows nobody by this browser's cookie.
import { useState } from "preact/hooks";
import { html, type View } from "../parts/html.ts";
import { logIn } from "../parts/state.ts";

export function LoginPage(): View {
  const [key, setKey] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await logIn(key.trim());
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  return html`
    <main class="login">
      <form class="panel" onSubmit=${submit}>
        <h1>WatchLLM</h1>
        <p class="dim">This server asks for a key that may read. Make one on its machine with</p>
        <pre class="fence">watchllm key create --scope read</pre>
        <label>Key<input type="password" autocomplete="current-password" required autofocus value=${key} aria-invalid=${problem !==
          null} onInput=${(event: Event) =>
          setKey((event.target as HTMLInputElement).value)} /></label>
        ${problem === null ? null : html`<p class="problem" role="alert">${problem}</p>`}
        <button type="submit" class="primary" disabled=${busy || key.trim() === ""}>Log in</button>
      </form>
    </main>
  `;
}
