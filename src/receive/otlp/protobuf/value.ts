// What all signals have in common in protobuf: attribute values, resources and scopes.
import { emptyAttributes, emptyResource, emptyScope } from "../empty.ts";
import {
  attributesMax,
  Budget,
  cost,
  deeper,
  type Export,
  type Signal,
  takeItem,
  tooManyAttributes,
} from "../export.ts";
import { numberValue } from "../number.ts";
import type { Attributes, Resource, Scope, Value } from "../telemetry.ts";
import { bytes, fixed64, Reader, varint } from "./wire.ts";

/** A request on its way through the decoder. */
export class Input {
  readonly wire: Reader;
  readonly budget = new Budget();
  /** Attributes of the item that is being read. */
  attributes = 0;

  constructor(body: Uint8Array) {
    this.wire = new Reader(body);
  }
}

/** Of two values with one key the last stays. */
export function readAttribute(input: Input, into: Attributes, depth = 0): void {
  const { wire } = input;
  input.budget.spend(cost.entry);
  if (++input.attributes > attributesMax) throw tooManyAttributes();
  let key = "";
  let value: Value = null;
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(1):
        key = wire.text();
        break;
      case bytes(2):
        value = readValue(input, depth);
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
  into[key] = value;
}

/** An AnyValue; one without a value is null. */
export function readValue(input: Input, depth = 0): Value {
  const { wire } = input;
  input.budget.spend(cost.value);
  let value: Value = null;
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(1):
        value = wire.text();
        break;
      case varint(2):
        value = wire.boolean();
        break;
      case varint(3):
        value = wire.int64();
        break;
      case fixed64(4):
        value = numberValue(wire.double());
        break;
      case bytes(5):
        value = readArray(input, deeper(depth));
        break;
      case bytes(6):
        value = readMap(input, deeper(depth));
        break;
      case bytes(7):
        value = wire.base64();
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
  return value;
}

function readArray(input: Input, depth: number): Value[] {
  const { wire } = input;
  input.budget.spend(cost.list);
  const values: Value[] = [];
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    if (tag === bytes(1)) values.push(readValue(input, depth));
    else wire.skip(tag);
  }
  wire.leave(outer);
  return values;
}

function readMap(input: Input, depth: number): Attributes {
  const { wire } = input;
  input.budget.spend(cost.list);
  const map = emptyAttributes();
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    if (tag === bytes(1)) readAttribute(input, map, depth);
    else wire.skip(tag);
  }
  wire.leave(outer);
  return map;
}

function readResource(input: Input, resource: Resource): void {
  const { wire } = input;
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    if (tag === bytes(1)) readAttribute(input, resource.attributes);
    else wire.skip(tag);
  }
  wire.leave(outer);
}

function readScope(input: Input, scope: Scope): void {
  const { wire } = input;
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(1):
        scope.name = wire.text();
        break;
      case bytes(2):
        scope.version = wire.text();
        break;
      case bytes(3):
        readAttribute(input, scope.attributes);
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
}

/** Reads the message that comes next as one item; what it throws costs only itself. */
export function readItem<Item extends object>(
  signal: Signal,
  input: Input,
  into: Export<Item>,
  item: Item,
  read: () => void,
): void {
  const { wire } = input;
  input.budget.spend(cost.item);
  input.attributes = 0;
  const outer = wire.enter();
  const { end } = wire;
  takeItem(signal, into, item, read);
  wire.abandon(end);
  wire.leave(outer);
}

export type ReadItem = (input: Input, resource: Resource, scope: Scope) => void;

/**
 * The envelope that all signals share: resources, their scopes, the items of each. A resource may
 * stand after its items on the wire; they share the object, which is complete in the end.
 */
export function readRequest(input: Input, readItem: ReadItem): void {
  const { wire } = input;
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    if (tag === bytes(1)) readOfResource(input, readItem);
    else wire.skip(tag);
  }
}

function readOfResource(input: Input, readItem: ReadItem): void {
  const { wire } = input;
  input.budget.spend(cost.item);
  input.attributes = 0;
  const resource = emptyResource();
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(1):
        readResource(input, resource);
        break;
      case bytes(2):
        readOfScope(input, resource, readItem);
        break;
      case bytes(3):
        resource.schema_url = wire.text();
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
}

function readOfScope(input: Input, resource: Resource, readItem: ReadItem): void {
  const { wire } = input;
  input.budget.spend(cost.item);
  input.attributes = 0;
  const scope = emptyScope();
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(1):
        readScope(input, scope);
        break;
      case bytes(2):
        readItem(input, resource, scope);
        break;
      case bytes(3):
        scope.schema_url = wire.text();
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
}
