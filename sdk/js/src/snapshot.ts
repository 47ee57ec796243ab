// Any value → plain JSON data of its own, as the value is now. Nothing that the caller passes can
// throw out of here, be changed by us, or make us work without bound.
import { limits } from "./limits.ts";

type Plain = Record<string, unknown>;

/** A value as it was when it was seen, which need not be copied again. */
export class Frozen {
  readonly copy: unknown;
  readonly bytes: number;

  constructor(value: unknown) {
    const snapshot = new Snapshot();
    this.copy = snapshot.copy(value);
    this.bytes = snapshot.bytes;
  }
}

/** Copies one event's values; bounds hold for all of them together. */
export class Snapshot {
  /** What has been copied so far, in bytes, about. */
  bytes = 0;
  #characters = 0;
  #nodes = 0;
  /** Objects around the one being copied. */
  #above: object[] = [];

  copy(value: unknown): unknown {
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "object":
        return value === null ? null : this.#object(value);
      case "number":
        return Number.isFinite(value) ? value : null;
      case "boolean":
        return value;
      case "undefined":
        return undefined;
      case "bigint":
        return BigInt(Number(value)) === value &&
            Number.isSafeInteger(Number(value))
          ? Number(value)
          : this.#text(String(value));
      case "symbol":
        return `[${String(value)}]`;
      case "function":
        return `[function ${nameOf(value)}]`;
    }
  }

  /** Reads a field that may be a getter. */
  field(source: object, name: string): unknown {
    try {
      return this.copy((source as Plain)[name]);
    } catch (thrown) {
      return marker("thrown", thrown);
    }
  }

  #text(value: string): string {
    const room = Math.min(
      limits.textCharactersMax,
      limits.eventCharactersMax - this.#characters,
    );
    const text = value.length <= room ? value : truncate(value, Math.max(room, 0));
    this.#characters += text.length;
    this.bytes += text.length + limits.nodeBytes;
    return text;
  }

  #object(value: object): unknown {
    if (this.#nodes++ >= limits.eventNodesMax) return "[truncated]";
    if (this.#above.length >= limits.depthMax) return "[too deep]";
    if (this.#above.includes(value)) return "[circular]";
    this.bytes += limits.nodeBytes;
    this.#above.push(value);
    try {
      if (Array.isArray(value)) return this.#list(value, value.length);
      const prototype = Object.getPrototypeOf(value);
      const isPlain = prototype === Object.prototype || prototype === null;
      return isPlain && typeof (value as Plain).toJSON !== "function"
        ? this.#members(value)
        : this.#special(value);
    } catch (thrown) {
      return marker("thrown", thrown);
    } finally {
      this.#above.pop();
    }
  }

  #list(values: Iterable<unknown>, length: number): unknown[] {
    const list: unknown[] = [];
    for (const value of values) {
      if (this.#nodes++ >= limits.eventNodesMax) {
        list.push(`[truncated, ${length} entries in all]`);
        break;
      }
      this.bytes += limits.nodeBytes;
      list.push(this.copy(value));
    }
    return list;
  }

  #members(value: object): Plain {
    const plain: Plain = {};
    for (const key of Object.keys(value)) {
      if (!this.#admit(plain, key)) break;
      set(plain, key, this.field(value, key));
    }
    return plain;
  }

  #admit(plain: Plain, key: string): boolean {
    this.#characters += key.length;
    this.bytes += key.length + limits.nodeBytes;
    const fits = this.#nodes++ < limits.eventNodesMax &&
      this.#characters < limits.eventCharactersMax;
    if (!fits) plain["[truncated]"] = true;
    return fits;
  }

  /** Whatever JSON has no form for, or has a poor one. */
  #special(value: object): unknown {
    if (value instanceof Frozen) {
      this.bytes += value.bytes;
      return value.copy;
    }
    if (isError(value)) return this.#errorParts(value);
    if (Symbol.asyncIterator in value || isOpaque(value)) {
      return `[${nameOf(value.constructor)}]`;
    }
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      return `[${value.byteLength} bytes]`;
    }
    if (value instanceof Map) return this.#map(value);
    if (value instanceof Set) return this.#list(value, value.size);
    if (value instanceof RegExp) return String(value);
    if (
      value instanceof Promise || value instanceof WeakMap ||
      value instanceof WeakSet
    ) {
      return `[${nameOf(value.constructor)}]`;
    }
    if (
      value instanceof String || value instanceof Number ||
      value instanceof Boolean
    ) {
      return this.copy(value.valueOf());
    }
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return this.copy(toJSON.call(value, ""));
    return this.#members(value);
  }

  #map(map: Map<unknown, unknown>): unknown {
    const plain: Plain = {};
    for (const [key, value] of map) {
      const name = typeof key === "object" && key !== null
        ? JSON.stringify(this.copy(key))
        : String(key);
      if (!this.#admit(plain, name)) break;
      set(plain, name, this.copy(value));
    }
    return plain;
  }

  #errorParts(error: Error): Plain {
    const parts: Plain = { message: this.field(error, "message") };
    const name = read(error, "name");
    const maker = read(error, "constructor");
    // Many libraries name the class and leave `name` as it was.
    const type = name === "Error" && typeof maker === "function" ? nameOf(maker) : name;
    if (type !== undefined) parts.type = this.copy(type);
    const code = read(error, "code") ?? read(error, "status");
    if (typeof code === "string" || typeof code === "number") {
      parts.code = this.copy(code);
    }
    const stack = read(error, "stack");
    if (typeof stack === "string") parts.stack = this.copy(stack);
    for (const name of ["cause", "errors"]) {
      const value = read(error, name);
      if (value !== undefined) parts[name] = this.copy(value);
    }
    return parts;
  }
}

/** What is read rather than looked at, and may know keys. */
function isOpaque(value: object): boolean {
  return typeof (value as { getReader?: unknown }).getReader === "function" ||
    typeof (value as { arrayBuffer?: unknown }).arrayBuffer === "function";
}

/** Errors of another realm, a test runner's for one, are not `instanceof` ours. */
export function isError(value: unknown): value is Error {
  return value instanceof Error ||
    Object.prototype.toString.call(value) === "[object Error]";
}

function truncate(text: string, room: number): string {
  // Not between the halves of a pair.
  const last = text.charCodeAt(room - 1);
  const end = last >= 0xd800 && last < 0xdc00 ? room - 1 : room;
  return `${text.slice(0, end)}… [truncated, ${text.length} characters in all]`;
}

function set(plain: Plain, key: string, value: unknown): void {
  if (key !== "__proto__") plain[key] = value;
  else {Object.defineProperty(plain, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });}
}

function read(source: object, name: string): unknown {
  try {
    return (source as Plain)[name];
  } catch {
    return undefined;
  }
}

function nameOf(maker: unknown): string {
  const name = typeof maker === "function" ? read(maker, "name") : undefined;
  return typeof name === "string" && name !== "" ? name.slice(0, 100) : "anonymous";
}

function marker(word: string, thrown: unknown): string {
  try {
    return `[${word}: ${String(isError(thrown) ? thrown.message : thrown).slice(0, 200)}]`;
  } catch {
    return `[${word}]`;
  }
}
