// What an exporter is answered, in the encoding that it speaks: success, partial success, or a
// google.rpc.Status.
import type { Encoding, Signal } from "./export.ts";
import { bytes, Reader, varint } from "./protobuf/wire.ts";

/** google.rpc.Code, as far as it is used here. */
export const codes = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;
export type Code = (typeof codes)[keyof typeof codes];

const codesOfHttp = new Map<number, Code>([
  [400, codes.INVALID_ARGUMENT],
  [401, codes.UNAUTHENTICATED],
  [403, codes.PERMISSION_DENIED],
  [404, codes.NOT_FOUND],
  [405, codes.UNIMPLEMENTED],
  [413, codes.RESOURCE_EXHAUSTED],
  [415, codes.UNIMPLEMENTED],
  [429, codes.UNAVAILABLE],
  [503, codes.UNAVAILABLE],
]);

export function codeOfHttp(status: number): Code {
  return codesOfHttp.get(status) ?? codes.INTERNAL;
}

export interface Status {
  code: Code;
  message: string;
  /** Seconds after which the same request may be sent again; null when it must not. */
  retryAfterS: number | null;
}

const rejectedNames = {
  traces: "rejectedSpans",
  logs: "rejectedLogRecords",
  metrics: "rejectedDataPoints",
} as const satisfies Record<Signal, string>;

/** An Export…ServiceResponse; nothing rejected and nothing to say is full success. */
export function encodeResponse(
  encoding: Encoding,
  signal: Signal,
  rejected: number,
  message: string,
): string | Uint8Array {
  const isWhole = rejected === 0 && message === "";
  if (encoding === "json") {
    if (isWhole) return "{}";
    const partialSuccess = { [rejectedNames[signal]]: String(rejected), errorMessage: message };
    return JSON.stringify({ partialSuccess });
  }
  return isWhole
    ? new Uint8Array()
    : bytesField(1, [...numberField(1, rejected), ...text(2, message)]);
}

const typePrefix = "type.googleapis.com/google.rpc.";

export function encodeStatus(encoding: Encoding, status: Status): string | Uint8Array {
  return encoding === "json" ? jsonStatus(status) : protobufStatus(status);
}

function jsonStatus({ code, message, retryAfterS }: Status): string {
  const details = [];
  if (code === codes.INVALID_ARGUMENT) {
    details.push({
      "@type": `${typePrefix}BadRequest`,
      fieldViolations: [{ field: "body", description: message }],
    });
  }
  if (retryAfterS !== null) {
    details.push({ "@type": `${typePrefix}RetryInfo`, retryDelay: `${retryAfterS}s` });
  }
  return JSON.stringify({ code, message, details });
}

function protobufStatus({ code, message, retryAfterS }: Status): Uint8Array {
  const details: number[] = [];
  if (code === codes.INVALID_ARGUMENT) {
    const violation = [...text(1, "body"), ...text(2, message)];
    details.push(...any("BadRequest", bytesField(1, violation)));
  }
  if (retryAfterS !== null) details.push(...any("RetryInfo", retryInfo(retryAfterS)));
  return Uint8Array.from([...numberField(1, code), ...text(2, message), ...details]);
}

/** Code and message of a google.rpc.Status in protobuf. */
export function readStatus(status: Uint8Array): Pick<Status, "code" | "message"> {
  const wire = new Reader(status);
  let code: number = codes.INTERNAL;
  let message = "";
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    if (tag === varint(1)) code = wire.int32();
    else if (tag === bytes(2)) message = wire.text();
    else wire.skip(tag);
  }
  return { code: code as Code, message };
}

/** google.rpc.RetryInfo with the delay alone. */
export function retryInfo(retryAfterS: number): Uint8Array {
  return bytesField(1, numberField(1, retryAfterS));
}

function any(type: string, value: Uint8Array): Uint8Array {
  return bytesField(3, [...text(1, typePrefix + type), ...bytesField(2, value)]);
}

function numberField(field: number, value: number): number[] {
  return value === 0 ? [] : [field << 3, ...varintOf(value)];
}

function text(field: number, value: string): Uint8Array {
  return value === "" ? new Uint8Array() : bytesField(field, Buffer.from(value));
}

function bytesField(field: number, value: Uint8Array | number[]): Uint8Array {
  return Uint8Array.from([field << 3 | 2, ...varintOf(value.length), ...value]);
}

function varintOf(value: number): number[] {
  const septets: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) septets.push(value % 0x80 + 0x80);
  return [...septets, value];
}
