// A test is a row: what is checked, what goes in, what must come out.
import { expect, test } from "bun:test";

export function checks<I, O>(subject: string, run: (input: I) => O | Promise<O>) {
  return (name: string, input: I, expected: O) =>
    test(`${subject}: ${name}`, async () => expect<unknown>(await run(input)).toEqual(expected));
}
