// Markup in template strings. Values become text nodes and properties, never HTML.
import { html as template } from "htm/preact";
import type { ComponentChildren } from "preact";

export const html = template;
export type View = ComponentChildren;
