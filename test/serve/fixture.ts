// A whole server on a free port of 127.0.0.1, with projects `shop` and `bank` and a key of each.
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { startServer } from "../../src/server.ts";
import { openState } from "../../src/store/state.ts";
import { temporaryFolder } from "../store/fixture.ts";

export const keys = { shop: "admin-key-of-shop-0000", bank: "admin-key-of-bank-0000" };
export type Project = keyof typeof keys;

export interface TestServer {
  url: string;
  /** Of OTLP/gRPC, when a flag switched it on. */
  grpcPort: number | null;
  /** As the owner of the key; null is the local user. */
  ask(path: string, project?: Project | null, init?: RequestInit): Promise<Response>;
  /** Stores events, and throws when one of them was refused. */
  send(events: unknown[], project?: Project): Promise<void>;
  stop(): Promise<void>;
}

/** With further flags of the command line, such as `["grpc-listen", "127.0.0.1:0"]`. */
export async function startTestServer(further: [string, string][] = []): Promise<TestServer> {
  const folder = temporaryFolder();
  const flags = new Map([
    ["listen", "127.0.0.1:0"],
    ["data-dir", folder.path],
    ["retention-days", "0"],
    ["memory-limit", "512MB"],
    ...further,
  ]);
  const loaded = loadConfig({ flags, env: {}, cwd: folder.path });
  if ("problems" in loaded) throw new Error(loaded.problems.map((one) => one.message).join(" "));
  const state = await openState(join(folder.path, "state.db"));
  for (const [project_id, secret] of Object.entries(keys)) {
    await state.createProject(project_id);
    await state.createKey({ project_id, scopes: ["admin"], secret });
  }
  const server = await startServer(loaded.config, state);
  const url = `http://127.0.0.1:${server.address.port}`;
  const ask: TestServer["ask"] = (path, project = "shop", init = {}) =>
    fetch(url + path, {
      ...init,
      headers: {
        ...project === null ? {} : { authorization: `Bearer ${keys[project]}` },
        ...init.body === undefined ? {} : { "content-type": "application/json" },
        ...init.headers as Record<string, string>,
      },
    });
  return {
    url,
    grpcPort: server.grpcPort,
    ask,
    send: async (events, project = "shop") => {
      const response = await ask("/v1/events", project, {
        method: "POST",
        body: JSON.stringify(events),
      });
      const { accepted } = await response.json() as { accepted: number };
      if (accepted !== events.length) throw new Error(`${accepted} of ${events.length} accepted`);
    },
    stop: async () => {
      await server.stop();
      await state.close();
      folder.remove();
    },
  };
}
