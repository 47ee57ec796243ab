// Standard output is for data, standard error for everything said to people.

/** Writes data and waits until it is handed over. */
export async function print(text: string): Promise<void> {
  try {
    await Bun.write(Bun.stdout, text.endsWith("\n") || text === "" ? text : `${text}\n`);
  } catch (error) {
    // The reader (`| head`) has seen enough.
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}

export function say(text: string): void {
  console.error(text);
}

/** Columns as wide as their widest cell, with a line of headings. */
export function tableText(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...rows.map((row) => printable(row[at]).length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => printable(cell).padEnd(widths[at]!)).join("  ").trimEnd();
  return [headings, ...rows].map(line).join("\n");
}

/** A name that someone sent must not steer the terminal. */
function printable(text = ""): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}
