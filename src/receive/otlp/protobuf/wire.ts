// The protobuf wire format: fields one after the other, each with its number and the form of its
// value. Reads within the bytes of the message, in time linear in them. A field of an unexpected
// form is an unknown field, as the format wants it.
import { ExportError } from "../export.ts";
import { exact } from "../number.ts";

/** Forms of a value: the low three bits of a tag. */
const varintForm = 0;
const fixed64Form = 1;
const bytesForm = 2;
const groupStart = 3;
const groupEnd = 4;
const fixed32Form = 5;

/** Tags as they stand on the wire: field number and form in one. */
export const varint = (field: number) => field * 8 + varintForm;
export const fixed64 = (field: number) => field * 8 + fixed64Form;
export const bytes = (field: number) => field * 8 + bytesForm;
export const fixed32 = (field: number) => field * 8 + fixed32Form;

const groupDepthMax = 64;
const varintBytesMax = 10;
/** Varints of up to so many bytes are exact in a double. */
const smallVarintBytes = 7;
/** Longer than any valid id. */
const idBytesMax = 20;
const tagMax = 2 ** 32;

export class Reader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;
  /** Of the message that is being read. */
  #end: number;

  constructor(body: Uint8Array) {
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    this.#end = body.byteLength;
  }

  /** The next field's tag; 0 at the end of the message. */
  tag(): number {
    if (this.#at === this.#end) return 0;
    // Tags of fields below 16 are one byte; that is nearly all of them.
    const first = this.#bytes[this.#at]!;
    if (first < 0x80 && first >= 8) {
      this.#at++;
      return first;
    }
    const tag = Number(this.#wide());
    if (tag < 8 || tag >= tagMax) throw this.#broken("a field has no valid number");
    return tag;
  }

  /** Enters the message that comes next; `leave` takes what this returns. */
  enter(): number {
    const outer = this.#end;
    const length = this.#length();
    this.#end = this.#at + length;
    return outer;
  }

  /** Leaves a message that was read to its end. */
  leave(outer: number): void {
    this.#end = outer;
  }

  /** Whether the entered message is at its end. */
  get done(): boolean {
    return this.#at === this.#end;
  }

  /** Where the entered message ends. */
  get end(): number {
    return this.#end;
  }

  /** Goes there, out of whatever is being read. */
  abandon(end: number): void {
    this.#at = this.#end = end;
  }

  /** Invalid UTF-8 is replaced, as the text of a broken producer is still worth reading. */
  text(): string {
    const length = this.#length();
    const from = this.#skip(length);
    return length === 0 ? "" : this.#bytes.toString("utf8", from, this.#at);
  }

  base64(): string {
    const from = this.#skip(this.#length());
    return this.#bytes.toString("base64", from, this.#at);
  }

  /** An id as lower-case hex; of one that is far too long, the beginning. */
  hex(): string {
    const length = this.#length();
    const from = this.#skip(length);
    return this.#bytes.toString("hex", from, from + Math.min(length, idBytesMax));
  }

  boolean(): boolean {
    return Number(this.#wide()) !== 0;
  }

  /** A number of 32 bits with a sign; also an enum. */
  int32(): number {
    const value = this.#wide();
    return typeof value === "number" ? value | 0 : Number(BigInt.asIntN(32, value));
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** A number of 32 bits whose sign is its lowest bit. */
  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Decimal text when a double does not hold it. */
  int64(): number | string {
    const value = this.#wide();
    return typeof value === "number" ? value : exact(BigInt.asIntN(64, value));
  }

  uint64(): number | string {
    const value = this.#wide();
    return typeof value === "number" ? value : exact(BigInt.asUintN(64, value));
  }

  fixed32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true);
  }

  ufixed64(): number | string {
    return exact(this.fixed64());
  }

  sfixed64(): number | string {
    return exact(this.#view.getBigInt64(this.#skip(8), true));
  }

  double(): number {
    return this.#view.getFloat64(this.#skip(8), true);
  }

  /** Passes over a field that is not known. */
  skip(tag: number): void {
    let groups = 0;
    for (;;) {
      switch (tag % 8) {
        case varintForm:
          this.#wide();
          break;
        case fixed64Form:
          this.#skip(8);
          break;
        case bytesForm:
          this.#skip(this.#length());
          break;
        case groupStart:
          if (++groups > groupDepthMax) throw this.#broken("groups nest too deep");
          break;
        case groupEnd:
          if (--groups < 0) throw this.#broken("a group ends that never began");
          break;
        case fixed32Form:
          this.#skip(4);
          break;
        default:
          throw this.#broken("a field has no valid form");
      }
      if (groups === 0) return;
      tag = this.tag();
      if (tag === 0) throw this.#broken("a group does not end");
    }
  }

  /** Passes over so many bytes and returns where they began. */
  #skip(count: number): number {
    const from = this.#at;
    if (count > this.#end - from) throw this.#broken("a value is cut short");
    this.#at = from + count;
    return from;
  }

  /** Length of what comes next, which is within the message. */
  #length(): number {
    const length = Number(this.#wide());
    if (length > this.#end - this.#at) throw this.#broken("a value is cut short");
    return length;
  }

  /** A varint's 64 bits, unsigned: a number when its bytes are few enough. */
  #wide(): number | bigint {
    let value = 0;
    let scale = 1;
    for (let read = 0; read < smallVarintBytes; read++) {
      const byte = this.#byte();
      if (byte < 0x80) return value + byte * scale;
      value += (byte - 0x80) * scale;
      scale *= 0x80;
    }
    let wide = BigInt(value);
    for (let read = smallVarintBytes; read < varintBytesMax; read++) {
      const byte = this.#byte();
      wide += BigInt(byte & 0x7f) << BigInt(7 * read);
      if (byte < 0x80) return BigInt.asUintN(64, wide);
    }
    throw this.#broken("a number does not end");
  }

  #byte(): number {
    if (this.#at === this.#end) throw this.#broken("a number is cut short");
    return this.#bytes[this.#at++]!;
  }

  #broken(what: string): ExportError {
    const message = `The protobuf is damaged or cut short: ${what} (byte ${this.#at}).`;
    return new ExportError("invalid_protobuf", message);
  }
}
