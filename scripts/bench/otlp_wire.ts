// Writes protobuf for measurements and tests: messages as they are, valid or not.

type Part = Buffer;

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

export function tag(field: number, form: number): Part {
  return varint(field * 8 + form);
}

export function number(field: number, value: number | bigint): Part {
  return Buffer.concat([tag(field, 0), varint(value)]);
}

export function fixed64(field: number, value: bigint): Part {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return Buffer.concat([tag(field, 1), bytes]);
}

export function double(field: number, value: number): Part {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(field, 1), bytes]);
}

export function fixed32(field: number, value: number): Part {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return Buffer.concat([tag(field, 5), bytes]);
}

/** Text, bytes, or a message of parts. */
export function field(field: number, ...parts: (Uint8Array | string)[]): Part {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([tag(field, 2), varint(content.length), content]);
}

export const text = (value: string) => field(1, value);
export const attribute = (number: number, key: string, ...value: Uint8Array[]) =>
  field(number, field(1, key), field(2, ...value));

export const traceId = Buffer.from("0af7651916cd43dd8448eb211c80319c", "hex");
export const spanId = Buffer.from("b7ad6b7169203331", "hex");

/** A request of any signal: one resource, one scope, these items. */
export function request(...items: Uint8Array[]): Buffer {
  const resource = field(1, attribute(1, "service.name", text("shop")));
  const scope = field(1, field(1, "tests"), field(2, "1.0"));
  return field(1, resource, field(2, scope, ...items.map((item) => field(2, item))));
}

/** A valid span, and what is to stand in it besides. */
export function span(...parts: Uint8Array[]): Buffer {
  return Buffer.concat([
    field(1, traceId),
    field(2, spanId),
    field(5, "chat"),
    number(6, 3),
    fixed64(7, 1_700_000_000_000_000_000n),
    fixed64(8, 1_700_000_001_000_000_000n),
    ...parts,
  ]);
}
