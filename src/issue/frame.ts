// The frame of a stack trace that tells failures apart: the innermost one of the program itself, by
// file and function. Line numbers move with every change, so they are left out. Pure.

/** Read of a stack; its inner end is kept when it is longer. */
const stackCharactersMax = 16_384;
const frameCharactersMax = 200;

/** Code that came from elsewhere. */
const foreign = new RegExp(
  [
    "node_modules",
    "site-packages",
    "dist-packages",
    String.raw`[\\/]lib[\\/]python\d`,
    "<frozen",
    "node:",
    "bun:",
    "deno:",
    String.raw`ext:`,
    "internal[\\\\/]",
    "native:",
    "<anonymous>$",
    String.raw`[\\/]\.cargo[\\/]`,
    String.raw`[\\/]go[\\/](?:pkg|src)[\\/]`,
    String.raw`^https?:\/\/(?:deno\.land|jsr\.io|esm\.sh)`,
  ].join("|"),
);
/** Packages of Java and .NET that no program is in. */
const foreignNames = /^(?:java|javax|jdk|sun|kotlin|kotlinx|scala|System|Microsoft|io\.ktor)\./;

interface Frame {
  file: string;
  name: string;
}

/** "file in function"; null when the stack has no frame that is known. */
export function frameOf(stack: string): string | null {
  const python = stack.includes('File "');
  const text = stack.length <= stackCharactersMax
    ? stack
    : python
    ? stack.slice(-stackCharactersMax)
    : stack.slice(0, stackCharactersMax);
  const lines = text.split("\n");
  // Python tells the innermost call last.
  const frames = python ? pythonFrames(lines).reverse() : otherFrames(lines);
  const own = frames.find(({ file, name }) => !foreign.test(file) && !foreignNames.test(name)) ??
    frames[0];
  if (own === undefined) return null;
  const { file, name } = own;
  const text_ = [fileName(file), name].filter((part) => part !== "").join(" in ");
  return text_.slice(0, frameCharactersMax).toWellFormed();
}

function pythonFrames(lines: readonly string[]): Frame[] {
  const frames: Frame[] = [];
  for (const line of lines) {
    const at = line.indexOf('File "');
    if (at < 0 || line.slice(0, at).trim() !== "") continue;
    const end = line.indexOf('"', at + 6);
    if (end < 0) continue;
    const comma = line.indexOf(", in ", end);
    frames.push({
      file: line.slice(at + 6, end),
      name: comma < 0 ? "" : line.slice(comma + 5).trim(),
    });
  }
  return frames;
}

/** JavaScript, Java, Kotlin and .NET: "at function (file:line:column)", innermost first. */
function otherFrames(lines: readonly string[]): Frame[] {
  const frames: Frame[] = [];
  for (const line of lines) {
    const text = line.trim();
    if (text.startsWith("at ")) frames.push(atFrame(text.slice(3)));
    else {
      // Firefox and Safari: function@file:line:column
      const at = text.indexOf("@");
      if (at >= 0 && /:\d+(?::\d+)?$/.test(text)) {
        frames.push({ file: withoutLine(text.slice(at + 1)), name: text.slice(0, at) });
      }
    }
  }
  return frames;
}

function atFrame(text: string): Frame {
  const dotnet = text.indexOf(" in ");
  if (dotnet > 0 && text.includes(":line ", dotnet)) {
    const file = text.slice(dotnet + 4, text.indexOf(":line ", dotnet));
    return { file, name: withoutArguments(text.slice(0, dotnet)) };
  }
  const open = text.lastIndexOf("(");
  if (open >= 0 && text.endsWith(")")) {
    const file = withoutLine(text.slice(open + 1, -1));
    return { file, name: text.slice(0, open).trim().replace(/^async /, "") };
  }
  return { file: withoutLine(text.replace(/^async /, "")), name: "" };
}

function withoutArguments(text: string): string {
  const open = text.indexOf("(");
  return (open < 0 ? text : text.slice(0, open)).trim();
}

function withoutLine(text: string): string {
  return text.replace(/:\d+(?::\d+)?$/, "");
}

/** The last part of its path, without the hash that a bundler put into it. */
function fileName(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)
    .replace(/\?.*$/, "");
  return name.replace(/[.-](?=[0-9A-Za-z_]*\d)[0-9A-Za-z_]{8,}(?=\.\w+$)/, "");
}
