// A server with the page, a browser before it, and projects to fill.
import { buildPage } from "../../scripts/page.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { fromSource, type StartOptions, startServer } from "./binary.ts";
import { openBrowser } from "./browser.ts";

const visibleMsMax = 10_000;

export interface Site extends AsyncDisposable {
  url: string;
  browser: Awaited<ReturnType<typeof openBrowser>>;
  get<T>(path: string): Promise<T>;
  post(path: string, body: unknown): Promise<Response>;
  /** A project of one's own, so that no test sees what another sends. Returns its query string. */
  project(project_id: string, events?: object[]): Promise<string>;
  /** Resolves when the events can be seen. */
  send(project_id: string, events: object[]): Promise<void>;
}

export async function openSite(options: Partial<StartOptions> = {}): Promise<Site> {
  await buildPage();
  const folder = temporaryFolder();
  const server = await startServer({ dataDir: folder.path, command: fromSource, ...options });
  const browser = await openBrowser();

  const answered = async (response: Response) => {
    if (response.ok) return response;
    throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  };
  const get = async <T>(path: string) =>
    await (await answered(await fetch(server.url + path))).json() as T;
  const post = (path: string, body: unknown) =>
    fetch(server.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const send = async (project_id: string, events: object[]) => {
    const receipt = await (await answered(await post(`/v1/projects/${project_id}/events`, events)))
      .json() as { rejected: unknown[]; event_ids: string[] };
    if (receipt.rejected.length > 0) throw new Error(JSON.stringify(receipt.rejected[0]));
    const wanted = receipt.event_ids.at(-1) ?? "";
    const deadline = performance.now() + visibleMsMax;
    for (;;) {
      const path = `/api/events/${encodeURIComponent(wanted)}?project_id=${project_id}`;
      const response = await fetch(server.url + path);
      await response.arrayBuffer();
      if (response.ok) return;
      if (performance.now() > deadline) throw new Error(`Not visible: ${wanted}`);
      await Bun.sleep(20);
    }
  };
  return {
    url: server.url,
    browser,
    get,
    post,
    send,
    project: async (project_id, events = []) => {
      await answered(await post("/api/projects", { project_id }));
      if (events.length > 0) await send(project_id, events);
      return `project=${project_id}`;
    },
    [Symbol.asyncDispose]: async () => {
      await browser.close();
      await server.stop();
      folder.remove();
    },
  };
}
