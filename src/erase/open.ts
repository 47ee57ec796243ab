// The parts of erasure, put together.
import { join } from "node:path";
import { type EraseParts, Erasing } from "../erase.ts";
import type { ExportParts } from "../export.ts";
import type { Langfuse } from "../langfuse.ts";
import type { Redaction } from "../redact/redaction.ts";
import type { Clock } from "../std/clock.ts";
import type { AlertStore } from "../store/alerts.ts";
import { alertsNaming, compactAlerts, eraseFromAlerts } from "../store/alerts/erase.ts";
import { openSeal } from "../store/alerts/seal.ts";
import { Erasures } from "../store/erasures.ts";
import type { Pending } from "../store/pending.ts";
import { folders, type Store } from "../store/store.ts";
import { columnOf, type SubjectKind } from "../store/subject.ts";

/** A request that was being received when the order came is on disk by then. */
const settleMs = 2000;

export interface EraseGiven {
  dataDir: string;
  store: Pick<Store, "eraser">;
  pending: Pick<Pending, "compact">;
  langfuse: Pick<Langfuse, "pieces" | "erase">;
  alerts: AlertStore;
  redaction: Pick<Redaction, "of">;
  clock: Clock;
  settleMs?: number;
  onStep?: EraseParts["onStep"];
}

export interface OpenErasing {
  erasing: Erasing;
  erasures: Erasures;
  /** What an export needs of the same parts. */
  exporting: ExportParts;
  close(): Promise<void>;
}

/** The record of erasures; its key is made when there is none. */
export async function openErasures(
  dataDir: string,
  options: { readonly?: boolean } = {},
): Promise<Erasures> {
  const seal = await openSeal(join(dataDir, folders.erasuresKey));
  return new Erasures(join(dataDir, folders.erasures), seal, options);
}

/** What is not done yet is carried out from then on. */
export async function openErasing(given: EraseGiven): Promise<OpenErasing> {
  const erasures = await openErasures(given.dataDir);
  const erasing = new Erasing({
    erasures,
    eraser: given.store.eraser,
    pieces: given.langfuse,
    alerts: (project_id, ids) => eraseFromAlerts(given.alerts, project_id, ids),
    compact: () => {
      given.pending.compact();
      compactAlerts(given.alerts);
    },
    storedId: (project_id, kind, id) => storedId(given.redaction, project_id, kind, id),
    clock: given.clock,
    settleMs: given.settleMs ?? settleMs,
    ...given.onStep === undefined ? {} : { onStep: given.onStep },
  });
  erasing.resume();
  return {
    erasing,
    erasures,
    exporting: {
      dataDir: given.dataDir,
      eraser: given.store.eraser,
      pieces: given.langfuse,
      alerts: (project_id, ids) => alertsNaming(given.alerts, project_id, ids),
      storedId: (project_id, kind, id) => storedId(given.redaction, project_id, kind, id),
      clock: given.clock,
    },
    close: async () => {
      await erasing.close();
      erasures.close();
    },
  };
}

/** Ids that are personal data are stored as keyed tokens when a project says so. */
function storedId(
  redaction: Pick<Redaction, "of">,
  project_id: string,
  kind: SubjectKind,
  id: string,
): string {
  const value: Record<string, unknown> = { [columnOf[kind]]: id };
  redaction.of(project_id)?.redact(value);
  return String(value[columnOf[kind]]);
}
