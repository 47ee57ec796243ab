// What the decoders of all encodings share: the outcome of an export, and the bounds of one.

export const signals = ["traces", "logs", "metrics"] as const;
export type Signal = (typeof signals)[number];
export type Encoding = "protobuf" | "json";

export type ItemReason =
  | "invalid_trace_id"
  | "invalid_span_id"
  | "invalid_parent_span_id"
  | "missing_name"
  | "invalid_field"
  | "too_deep"
  | "too_many_attributes";

export interface Export<Item> {
  items: Item[];
  rejected: Rejected<ItemReason>;
}

/** Items that cannot be taken while their neighbours are: how many, and why the first of them. */
export class Rejected<Reason extends string> {
  count = 0;
  readonly byReason = new Map<Reason, number>();
  readonly messages: string[] = [];

  add(reason: Reason, message: () => string): void {
    this.count++;
    this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + 1);
    if (this.messages.length < messagesMax) this.messages.push(message());
  }
}

const messagesMax = 3;
const nameCharactersMax = 80;

/** How many of all items were rejected, and why the first of them. */
export function rejectedText(signal: Signal, rejected: Rejected<string>, total: number): string {
  const { count, messages } = rejected;
  const more = count > messages.length ? ` And ${count - messages.length} more.` : "";
  return `${count} of ${total} ${itemNames[signal]}s rejected. ${messages.join(" ")}${more}`;
}

/** The request as a whole cannot be read. */
export interface ExportRefusal {
  reason: "invalid_protobuf" | "invalid_json" | "invalid_export" | "too_many_values";
  message: string;
}

/** What an item is called in a sentence. */
export const itemNames = {
  traces: "span",
  logs: "log record",
  metrics: "data point",
} as const satisfies Record<Signal, string>;

/** Thrown while one item is read, caught where its neighbours are. No Error: those are slow. */
export class ItemRefusal {
  readonly message: string;

  constructor(readonly reason: ItemReason, message: string) {
    this.message = clip(message);
  }
}

/** Thrown when nothing of the request can be read, caught where the request is. */
export class ExportError extends Error {
  constructor(readonly reason: ExportRefusal["reason"], message: string) {
    super(clip(message));
  }
}

const messageCharactersMax = 400;

/** What was sent may stand in a message, and be of any length. */
function clip(message: string): string {
  return message.length <= messageCharactersMax
    ? message
    : `${message.slice(0, messageCharactersMax)}…`;
}

export function wrongSignal(is: Signal, expected: Signal): ExportRefusal {
  return {
    reason: "invalid_export",
    message: `This is an export of ${is}, sent to the path of ${expected}. Send it to /v1/${is}.`,
  };
}

/** Levels of arrays and maps in one attribute; an event may have a few more, the mapping adds some. */
export const valueDepthMax = 56;

/** Of one item, nested ones included; SDKs stop at 128. Maps of more become slow. */
export const attributesMax = 20_000;

export function tooManyAttributes(): ItemRefusal {
  return new ItemRefusal("too_many_attributes", `it has more than ${attributesMax} attributes.`);
}

/** The level below. Throws ItemRefusal. */
export function deeper(depth: number): number {
  if (depth < valueDepthMax) return depth + 1;
  throw new ItemRefusal("too_deep", `an attribute nests deeper than ${valueDepthMax} levels.`);
}

/**
 * What decoded values cost, roughly in units of 32 bytes of memory. In protobuf an empty message is
 * two bytes, so a body within its bounds could otherwise become hundreds of times its size.
 */
export const cost = { value: 1, entry: 4, list: 4, record: 8, item: 24 } as const;
const unitsMax = 8_000_000;

/** What one request may still cost. */
export class Budget {
  #units = unitsMax;

  /** Throws ExportError. */
  spend(units: number): void {
    this.#units -= units;
    if (this.#units < 0) {
      throw new ExportError(
        "too_many_values",
        "The request has millions of values. Send smaller batches.",
      );
    }
  }
}

/** Takes one item into the export, or its rejection. */
export function takeItem<Item extends object>(
  signal: Signal,
  into: Export<Item>,
  item: Item,
  read: () => void,
): void {
  const index = into.items.length + into.rejected.count;
  try {
    read();
    into.items.push(item);
  } catch (refusal) {
    if (!(refusal instanceof ItemRefusal)) throw refusal;
    const name = "name" in item && typeof item.name === "string" && item.name !== ""
      ? ` "${item.name.slice(0, nameCharactersMax)}"`
      : "";
    into.rejected.add(
      refusal.reason,
      () => `${itemNames[signal]} ${index}${name}: ${refusal.message}`,
    );
  }
}

/** Reads a request to its end, or says why it cannot be read. */
export function attempt<Item>(
  read: (into: Export<Item>) => void,
): Export<Item> | ExportRefusal {
  const into: Export<Item> = { items: [], rejected: new Rejected() };
  try {
    read(into);
    return into;
  } catch (error) {
    if (error instanceof ExportError) return { reason: error.reason, message: error.message };
    // Outside of every item, so it cannot cost just one.
    if (error instanceof ItemRefusal) {
      return { reason: "invalid_export", message: `This is no OTLP export: ${error.message}` };
    }
    throw error;
  }
}
